// Entry of every page: keys, clocks, the service worker; brings in live prices and charts.
const root = document.documentElement;

// --- the service worker: the only script URL that may ever be made from a string
const policy = window.trustedTypes?.createPolicy('sise', {
  createScriptURL(url) {
    if (url !== '/sw.js') throw new TypeError(`no script may come from ${url}`);
    return url;
  },
});
if ('serviceWorker' in navigator && window.isSecureContext) {
  navigator.serviceWorker
    .register(policy ? policy.createScriptURL('/sw.js') : '/sw.js')
    .catch((error) => console.warn('no offline page:', error.message));
}

// --- live prices: on every page that shows one (or the connection chip)
const live = import(root.dataset.live);
let pageSymbols = () => [];
live.then((module) => {
  pageSymbols = module.refresh;
  module.start(root.dataset.graphqlws);
});

// --- charts: the library is fetched when a chart comes into view and the page is idle
const idle = window.requestIdleCallback ?? ((run) => setTimeout(run, 1));
const seen = new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  seen.disconnect();
  idle(() => import(root.dataset.chart).then((module) => module.define(root.dataset.lwc, live)));
});
let curves = null; // how a portfolio has done: its module is fetched where there is such a chart
function watchCharts() {
  document.querySelectorAll('stock-chart').forEach((e) => seen.observe(e));
  if (document.querySelector('equity-chart')) {
    curves ??= import(root.dataset.equity).then((module) => module.define(root.dataset.lwc));
  }
}

// --- the value of a portfolio, on its page
let watching = null;
function watchPortfolio() {
  if (!watching && !document.querySelector('[data-portfolio]')) return;
  watching ??= Promise.all([import(root.dataset.worth), live]);
  watching.then(([module, prices]) => module.watch(prices));
}
watchPortfolio();

// --- what only some pages need: an element of theirs names the module, which looks after each change
const modules = new Map();
function watchModules() {
  for (const { dataset } of document.querySelectorAll('[data-module]')) {
    const source = dataset.module;
    if (!modules.has(source)) modules.set(source, Promise.all([import(source), live]));
  }
  for (const loaded of modules.values()) loaded.then(([module, prices]) => module.watch(prices));
}
watchModules();

// --- clocks of the markets
const clockFormats = new Map();
function clockFormat(zone) {
  if (!clockFormats.has(zone)) {
    const options = { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
    clockFormats.set(zone, new Intl.DateTimeFormat('en-GB', options));
  }
  return clockFormats.get(zone);
}
// The site's time, not this device's: the page says what it was when it was made.
const ahead = root.dataset.now ? Date.parse(root.dataset.now) - Date.now() : 0;

// A market has opened or closed since the page was made.
function turn(element) {
  const market = element.closest('[data-open]');
  market.dataset.open = String(market.dataset.open !== 'true');
  if (element.dataset.then) element.textContent = element.dataset.then;
  delete element.dataset.change;
}

function tickClocks() {
  const now = new Date(Date.now() + ahead);
  for (const element of document.querySelectorAll('[data-change]')) {
    if (Date.parse(element.dataset.change) <= now) turn(element);
  }
  for (const element of document.querySelectorAll('[data-clock]')) {
    const text = clockFormat(element.dataset.clock).format(now);
    if (element.textContent !== text) element.textContent = text;
  }
}
tickClocks();
setInterval(tickClocks, 1000);

// --- keys: / searches, ? helps, Esc closes, arrows walk through the hits
const typing = (target) => target.closest?.('input, textarea, select, [contenteditable]');
const search = () => document.getElementById('search');
const hits = () => [...document.querySelectorAll('#hits [role="option"]')];

function mark(option) {
  for (const other of hits()) other.setAttribute('aria-selected', String(other === option));
  search()?.setAttribute('aria-activedescendant', option?.id ?? '');
  option?.scrollIntoView({ block: 'nearest' });
}

function walk(step) {
  const options = hits();
  if (!options.length) return;
  const now = options.findIndex((o) => o.getAttribute('aria-selected') === 'true');
  mark(options[(now + step + options.length) % options.length]);
}

function closeHits() {
  document.getElementById('hits')?.replaceChildren();
  search()?.setAttribute('aria-expanded', 'false');
}

function searchKey(event) {
  if (event.key === 'ArrowDown') walk(1);
  else if (event.key === 'ArrowUp') walk(-1);
  else if (event.key === 'Escape') { closeHits(); event.target.blur(); }
  else if (event.key === 'Enter') {
    // hits of an earlier text are not what was asked for: the form goes to the page of the search
    const current = hits().filter((o) => o.dataset.query === event.target.value.trim());
    const chosen = current.find((o) => o.getAttribute('aria-selected') === 'true') ?? current[0];
    if (!chosen) return;
    chosen.click();
    event.target.blur();
  } else return;
  event.preventDefault();
}

document.addEventListener('keydown', (event) => {
  if (event.isComposing) return; // Enter ends a Hangul syllable first
  if (event.target === search()) { searchKey(event); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.querySelector('dialog[open]')) return;
  if (event.key === '/') {
    search()?.focus();
    search()?.select();
    event.preventDefault();
  } else if (event.key === '?') {
    document.getElementById('help')?.showModal();
    event.preventDefault();
  }
});

// A click on the backdrop arrives at the dialog itself, beside its box.
function inside(element, { clientX, clientY }) {
  const box = element.getBoundingClientRect();
  return box.left <= clientX && clientX <= box.right && box.top <= clientY && clientY <= box.bottom;
}

document.addEventListener('click', (event) => {
  if (!event.target.closest('#hits, #search')) closeHits();
  const opener = event.target.closest('[data-opens]');
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest('[data-closes]')) event.target.closest('dialog')?.close();
  if (event.target instanceof HTMLDialogElement && !inside(event.target, event)) event.target.close();
});

// --- forms that act when a choice is made (they have a button where there is no JavaScript)
document.addEventListener('change', (event) => {
  const form = event.target.closest?.('form[data-auto-submit]');
  form?.requestSubmit();
});

// --- texts to copy: the button is there where there is a clipboard
function showCopying() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll('[data-copies]')) button.hidden = false;
}
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copies]');
  if (!button) return;
  navigator.clipboard.writeText(button.dataset.copies).then(() => {
    button.textContent = button.dataset.copied;
    document.getElementById('status').textContent = button.dataset.copied;
  });
});

// --- after htmx has changed the page
document.addEventListener('htmx:after:swap', (event) => {
  pageSymbols();
  watchPortfolio();
  watchModules();
  watchCharts();
  tickClocks();
  showCopying();
  const target = event.detail?.ctx?.target;
  const dialog = document.getElementById('dialog');
  if (target?.id === 'dialog-body' && !dialog.open) dialog.showModal();
  if (target?.id === 'main') {
    dialog?.close();
    closeHits();
    if (search()) search().value = '';
    const wrong = target.querySelector('[aria-invalid="true"]'); // where to go on from
    (wrong ?? target).focus({ preventScroll: !wrong });
  }
  // hits that come after the reader has left the box are of no use any more
  if (target?.id === 'hits' && document.activeElement !== search()) closeHits();
  search()?.setAttribute('aria-expanded', String(hits().length > 0));
});
window.addEventListener('pageshow', watchCharts);
watchCharts();
showCopying();
