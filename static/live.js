// Live prices: one subscription for the whole page, painted at most once per animation frame.
export const SUBSCRIPTION =
  'subscription Quotes($symbols: [String!]!) { quoteFrames(symbols: $symbols) }';
const HIDDEN_AFTER = 60_000;
const STALE_AFTER = 5_000;
const root = document.documentElement;
const cells = new Map(); // symbol → cells that show something of it
const pending = new Map(); // symbol → newest quote not yet painted
const latest = new Map(); // symbol → newest quote
const listeners = new Set();
const formats = new Map();
let client = null;
let unsubscribe = null;
let subscribed = '';
let frameAsked = false;
let staleTimer = 0;
let hiddenTimer = 0;
let wake = () => {};

function numberFormat(digits) {
  if (!formats.has(digits)) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    formats.set(digits, new Intl.NumberFormat('en-US', options));
  }
  return formats.get(digits);
}

const sign = (number) => (number > 0 ? '+' : number < 0 ? '-' : '');
const direction = (number) => (number > 0 ? 'up' : number < 0 ? 'down' : 'flat');

const texts = {
  price: (q, cell) => (cell.dataset.prefix ?? '') + numberFormat(+cell.dataset.digits).format(q.price),
  change: (q, cell) => q.change === null ? '–'
    : sign(q.change) + numberFormat(+cell.dataset.digits).format(Math.abs(q.change)),
  changePercent: (q) => q.changePercent === null ? '–'
    : `${sign(q.changePercent)}${numberFormat(2).format(Math.abs(q.changePercent))}%`,
  day: (q) => q.day,
  at: (q, cell) => atFormat(cell.dataset.zone).format(new Date(q.at)),
  state: (q, cell) => cell.dataset[`state${q.state[0]}${q.state.slice(1).toLowerCase()}`] ?? q.state,
};

function atFormat(zone) {
  const key = `at ${zone}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat('en-GB', {
      timeZone: zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
    }));
  }
  return formats.get(key);
}

function paintCell(cell, quote, before) {
  const field = cell.dataset.f ?? 'price';
  const text = texts[field]?.(quote, cell);
  if (text === undefined) return;
  if (cell.textContent !== text) cell.textContent = text;
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
  }
  pending.clear();
}

function receive(frame) {
  const number = (text) => (text === null ? null : Number(text));
  frame.symbol.forEach((symbol, i) => {
    pending.set(symbol, {
      price: Number(frame.price[i]),
      change: number(frame.change[i]),
      changePercent: frame.changePercent[i],
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

function connection(state) {
  const chip = document.getElementById('connection');
  if (chip && chip.dataset.state !== state) {
    chip.dataset.state = state;
    const label = chip.querySelector('[data-label]') ?? chip;
    label.textContent = chip.dataset[state] ?? '';
  }
  clearTimeout(staleTimer);
  if (state === 'live') delete root.dataset.feed;
  else staleTimer = setTimeout(() => { root.dataset.feed = 'stale'; }, STALE_AFTER);
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
  if (!client || key === subscribed) return;
  unsubscribe?.();
  unsubscribe = null;
  subscribed = key;
  if (!symbols.length) return;
  const sink = {
    next: ({ data }) => { if (data) receive(data.quoteFrames); },
    error: () => { if (subscribed === key) subscribed = ''; },
    complete: () => { if (subscribed === key) subscribed = ''; },
  };
  unsubscribe = client.subscribe({ query: SUBSCRIPTION, variables: { symbols } }, sink);
}

export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const newest = (symbol) => latest.get(symbol);

// Waits before the next try: from 0.3 s, doubled, with jitter, at most 2.5 s; or until something wakes it.
function retryWait(retries) {
  const delay = Math.min(300 * 2 ** retries, 2_500) * (0.6 + 0.4 * Math.random());
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delay);
    wake = () => { clearTimeout(timer); resolve(); };
  });
}

function makeClient() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return window.graphqlWs.createClient({
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
      closed: () => connection('offline'),
    },
  });
}

function hiddenChanged() {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = setTimeout(stop, HIDDEN_AFTER);
  } else if (!client) {
    client = makeClient();
    refresh();
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
  window.addEventListener('online', () => wake());
  window.addEventListener('pageshow', () => wake());
  document.addEventListener('visibilitychange', hiddenChanged);
}
