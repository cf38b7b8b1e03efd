// The value of the portfolio on the page, repainted as prices and the ledger change.
const SUBSCRIPTION = `subscription Portfolio($id: ID!) { portfolio(id: $id) {
  total dayPnl unrealisedPnl realisedPnl income flows pricePart fxPart crossPart fxRate { value }
  positions { symbol quantity baseValue baseUnrealisedPnl dayPnl returnPercent price { value } } } }`;
const formats = new Map();
let asked = false;
let newest = null;
let told = null; // for which holdings the tables were asked for
const AGAIN = 5000; // ms until they are asked for again where they did not come
let end = () => {};

function format(digits, signDisplay) {
  const key = `${digits} ${signDisplay}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat('en-US', {
      minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay,
    }));
  }
  return formats.get(key);
}

// Amounts come as decimal text and are written as on the server.
const writers = {
  money: (text, { digits, sign }) => (text.startsWith('-') ? '-' : '') + sign + format(+digits, 'never').format(text),
  signed: (text, { digits }) => format(+digits, 'exceptZero').format(text),
  percent: (text, { digits }) => `${format(+digits, 'exceptZero').format(text)}%`,
  number: (text, { digits }) => format(+digits, 'auto').format(text),
};

function paintCell(cell, value) {
  const text = value === null || value === undefined ? '–' : writers[cell.dataset.as](String(value), cell.dataset);
  if (cell.textContent !== text) cell.textContent = text;
  if (!cell.classList.contains('move')) return;
  const way = value > 0 ? 'up' : value < 0 ? 'down' : 'flat';
  if (cell.dataset.dir !== way) cell.dataset.dir = way;
}

// Something was bought or sold: the tables are asked for again, once for each change, and once more
// if the answer was lost. Not every position has a row: of those without one it counts how many.
function followHoldings() {
  const held = new Map(newest.positions.map((row) => [row.symbol, +row.quantity]));
  const rows = [...document.querySelectorAll('tr[data-symbol][data-quantity]')];
  const same = rows.every((row) => held.get(row.dataset.symbol) === +row.dataset.quantity);
  const count = document.querySelector('[data-positions]')?.dataset.positions;
  const now = [...held].join();
  if ((same && +count === held.size) || now === told) return;
  told = now;
  setTimeout(() => {
    if (told !== now) return;
    told = null;
    followHoldings();
  }, AGAIN);
  document.body.dispatchEvent(new Event('portfolio-changed'));
}

function paint() {
  asked = false;
  followHoldings();
  const positions = new Map(newest.positions.map((row) => [row.symbol, { ...row, price: row.price?.value }]));
  for (const cell of document.querySelectorAll('[data-p]')) {
    if (!(cell.dataset.as in writers)) continue;
    if (cell.dataset.p === 'fxRate') { paintCell(cell, newest.fxRate?.value); continue; }
    const row = cell.dataset.of ? positions.get(cell.dataset.of) : newest;
    if (row) paintCell(cell, row[cell.dataset.p]);
  }
}

// Called after each change of the page, with live.js.
export function watch(live) {
  end();
  end = () => {};
  const id = document.querySelector('[data-portfolio]')?.dataset.portfolio;
  if (!id) return;
  end = live.follow(SUBSCRIPTION, { id }, (data) => {
    newest = data.portfolio;
    if (asked) return;
    asked = true;
    requestAnimationFrame(paint);
  });
}
