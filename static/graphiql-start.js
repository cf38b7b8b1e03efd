// Draws GraphiQL on its page (SISE_DEV only): queries over HTTP, subscriptions over the WebSocket.
const url = new URL("/graphql", location.href);
const socket = new URL(url);
socket.protocol = url.protocol === "https:" ? "wss:" : "ws:";
const fetcher = GraphiQL.createFetcher({
  url: url.href,
  wsClient: graphqlWs.createClient({ url: socket.href }),
});
const first = '{\n  instruments(first: 10) {\n    edges {\n      node {\n        symbol\n        quote { price changePercent at state }\n      }\n    }\n  }\n}\n';
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: first }),
);
