// Live prices: one subscription for the whole page, painted at most once per animation frame.
export const SUBSCRIPTION =
  'subscription Quotes($symbols: [String!]!) { quoteFrames(symbols: $symbols) }';
const HIDDEN_AFTER = 60_000; // a page that nobody sees lets go of its socket
const STALE_AFTER = 5_000; // prices without a connection are grey from then on
const ASK_AGAIN = 2_000; // after the server has ended a subscription
const PONG_WITHIN = 5_000;
const root = document.documentElement;
const cells = new Map(); // symbol → cells that show something of it
const pending = new Map(); // symbol → newest quote not yet painted
const latest = new Map(); // symbol → newest quote
const listeners = new Set();
const followers = new Set(); // other subscriptions of the page
const formats = new Map();
let client = null;
let unsubscribe = null;
let subscribed = '';
let state = 'connecting';
let frameAt = null; // when the last frame came
let frameAsked = false;
let staleTimer = 0;
let hiddenTimer = 0;
let wake = () => {};

function remember(key, make) {
  if (!formats.has(key)) formats.set(key, make());
  return formats.get(key);
}

// Numbers come as decimal text and are rounded as such, half away from zero, as on the server.
const numberFormat = (digits, signDisplay = 'auto') =>
  remember(`${digits} ${signDisplay}`, () => new Intl.NumberFormat('en-US', {
    minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay,
  }));
const timeFormat = (timeZone) => remember(`at ${timeZone}`, () => new Intl.DateTimeFormat('en-GB', {
  timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
}));
const dayFormat = () => remember(`day ${root.lang}`, () => new Intl.DateTimeFormat(root.lang, {
  timeZone: 'UTC', dateStyle: 'long',
}));
const signed = (text, digits) => (text === null ? '–' : numberFormat(digits, 'exceptZero').format(text));
const direction = (number) => (number > 0 ? 'up' : number < 0 ? 'down' : 'flat');

// When a price is of, in a few letters: a time of today on the market's clock, else the day.
function asOf(quote, timeZone) {
  const today = ['LIVE', 'DELAYED'].includes(quote.state);
  return today ? timeFormat(timeZone).format(new Date(quote.at)).slice(0, 5) : quote.day;
}

const texts = {
  price: (q, cell) => numberFormat(+cell.dataset.digits).format(q.priceText),
  change: (q, cell) => signed(q.changeText, +cell.dataset.digits),
  changePercent: (q) => signed(q.percentText, 2) + (q.percentText === null ? '' : '%'),
  day: (q) => q.day,
  at: (q, cell) => timeFormat(cell.dataset.zone).format(new Date(q.at)),
  asOf: (q, cell) => asOf(q, cell.dataset.zone),
  state: (q, cell) => cell.dataset[`state${q.state[0]}${q.state.slice(1).toLowerCase()}`] ?? q.state,
};

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function paintCell(cell, quote, before) {
  const field = cell.dataset.f ?? 'price';
  const text = texts[field]?.(quote, cell);
  if (text === undefined) return;
  write(cell, text);
  if (field === 'change' || field === 'changePercent') {
    const way = direction(quote.change ?? 0);
    if (cell.dataset.dir !== way) cell.dataset.dir = way;
  } else if (field === 'state' && cell.dataset.state !== quote.state) {
    cell.dataset.state = quote.state;
  } else if (field === 'price' && before && before.price !== quote.price) {
    // two names for the same animation: a CSS animation restarts only when its name changes
    const way = quote.price > before.price ? 'u' : 'd';
    cell.dataset.tick = way + (cell.dataset.tick?.endsWith('0') ? '1' : '0');
  }
}

function paint() {
  frameAsked = false;
  for (const [symbol, quote] of pending) {
    const before = latest.get(symbol);
    latest.set(symbol, quote);
    for (const cell of cells.get(symbol) ?? []) paintCell(cell, quote, before);
    for (const listener of listeners) listener(symbol, quote);
    if (quote.state === 'REPLAY') paintReplay(quote.day);
  }
  pending.clear();
}

// The day that is replayed, in words, goes on with the prices.
function paintReplay(day) {
  for (const element of document.querySelectorAll('[data-replay-day]')) {
    if (element.dataset.replayDay >= day) continue;
    element.dataset.replayDay = day;
    write(element, dayFormat().format(new Date(`${day}T00:00:00Z`)));
  }
}

function receive(frame) {
  frameAt = new Date();
  frame.symbol.forEach((symbol, i) => {
    const [change, percent] = [frame.change[i], frame.changePercent[i]];
    pending.set(symbol, {
      price: Number(frame.price[i]),
      priceText: frame.price[i],
      change: change === null ? null : Number(change),
      changeText: change,
      percentText: percent === null ? null : String(percent),
      at: frame.at[i],
      day: frame.day[i],
      state: frame.state[i],
    });
  });
  if (!frameAsked) {
    frameAsked = true;
    requestAnimationFrame(paint);
  }
}

function showConnection() {
  const chip = document.getElementById('connection');
  if (!chip) return;
  const label = chip.querySelector('[data-label]') ?? chip;
  chip.dataset.state = state;
  const stale = root.dataset.feed === 'stale' && frameAt && chip.dataset.asOf;
  const time = frameAt?.toLocaleTimeString('en-GB', { hourCycle: 'h23' });
  write(label, stale ? chip.dataset.asOf.replace('{time}', time) : chip.dataset[state] ?? '');
}

// Said once to those who cannot see the chip; prices that tick are never read out.
function announce(text) {
  const line = document.createElement('span');
  line.className = 'visually-hidden';
  line.textContent = text;
  document.getElementById('status')?.replaceChildren(line);
}

function connection(now) {
  state = now;
  const chip = document.getElementById('connection');
  if (state === 'live') {
    clearTimeout(staleTimer);
    staleTimer = 0;
    if (root.dataset.feed === 'stale') announce(chip?.dataset.live ?? '');
    delete root.dataset.feed;
  } else if (!staleTimer) {
    staleTimer = setTimeout(() => {
      root.dataset.feed = 'stale';
      showConnection();
      announce(chip?.dataset.offline ?? '');
    }, STALE_AFTER);
  }
  showConnection();
}

function indexCells() {
  cells.clear();
  for (const cell of document.querySelectorAll('[data-q]')) {
    const symbol = cell.dataset.q;
    if (!cells.has(symbol)) cells.set(symbol, []);
    cells.get(symbol).push(cell);
  }
  for (const chart of document.querySelectorAll('stock-chart[symbol]')) {
    const symbol = chart.getAttribute('symbol');
    if (!cells.has(symbol)) cells.set(symbol, []);
  }
  return [...cells.keys()].sort();
}

// Called after each change of the page: the socket is kept, the symbols are asked for anew.
export function refresh() {
  const symbols = indexCells();
  const key = symbols.join(' ');
  showConnection();
  if (!client || key === subscribed) return;
  unsubscribe?.();
  unsubscribe = null;
  subscribed = key;
  if (!symbols.length) return;
  const over = () => {
    if (subscribed !== key) return;
    subscribed = '';
    setTimeout(refresh, ASK_AGAIN);
  };
  const sink = {
    next: ({ data }) => { if (data) receive(data.quoteFrames); },
    error: over,
    complete: over,
  };
  unsubscribe = client.subscribe({ query: SUBSCRIPTION, variables: { symbols } }, sink);
}

// What the listener is told: symbol and quote, once per frame. Returns how to end it.
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// Another subscription over the same socket, begun anew whenever it was lost. Returns how to end it.
export function follow(query, variables, next) {
  const follower = { query, variables, next, end: () => {} };
  followers.add(follower);
  if (client) begin(follower);
  return () => { followers.delete(follower); follower.end(); };
}

function begin(follower) {
  const { query, variables, next } = follower;
  const again = () => setTimeout(() => {
    if (client && followers.has(follower)) begin(follower);
  }, ASK_AGAIN);
  const sink = { next: ({ data }) => { if (data) next(data); }, error: again, complete: () => {} };
  follower.end = client.subscribe({ query, variables }, sink);
}

export const newest = (symbol) => latest.get(symbol);

// Waits before the next try: from 0.3 s, doubled, with jitter, at most 2.5 s; or until woken.
function retryWait(retries) {
  const delay = Math.min(300 * 2 ** retries, 2_500) * (0.6 + 0.4 * Math.random());
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delay);
    wake = () => { clearTimeout(timer); resolve(); };
  });
}

function makeClient() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  let pong = 0;
  const made = window.graphqlWs.createClient({
    url: `${scheme}://${location.host}/graphql`,
    lazy: false,
    keepAlive: 10_000,
    retryAttempts: Infinity,
    retryWait,
    shouldRetry: () => true,
    onNonLazyError: () => connection('offline'),
    on: {
      connecting: () => connection('connecting'),
      connected: () => connection('live'),
      // a server that is frozen never closes: without an answer to a ping the socket is given up
      ping: (received) => { if (!received) pong = setTimeout(() => made.terminate(), PONG_WITHIN); },
      pong: (received) => { if (received) clearTimeout(pong); },
      closed: () => { clearTimeout(pong); connection('offline'); },
    },
  });
  return made;
}

function hiddenChanged() {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = setTimeout(stop, HIDDEN_AFTER);
  } else if (!client) {
    client = makeClient();
    refresh();
    followers.forEach(begin);
  } else {
    wake();
  }
}

function stop() {
  unsubscribe = null;
  subscribed = '';
  client?.dispose();
  client = null;
}

export async function start(library) {
  await import(library);
  client = makeClient();
  refresh();
  followers.forEach(begin);
  window.addEventListener('online', () => wake());
  window.addEventListener('pageshow', () => wake());
  document.addEventListener('visibilitychange', hiddenChanged);
}
