// A watchlist in its owner's order: a row moves by dragging its handle, and by the handle's arrow keys.
let table = null;
let saving = Promise.resolve();

const rows = () => [...table.tBodies[0].rows];
const place = (row) => rows().indexOf(row);

// The others move around the row: it keeps the focus and the pointer.
function put(row, target) {
  const now = place(row);
  const to = Math.max(0, Math.min(target, rows().length - 1));
  if (to > now) row.before(...rows().slice(now + 1, to + 1));
  else row.after(...rows().slice(to, now));
  return to !== now;
}

// One change after the other; what the server refuses is shown as it is there.
function keep(row) {
  const { symbol } = row.dataset;
  const position = place(row);
  const [address, count] = [table.dataset.order, rows().length];
  const words = table.dataset.moved.replace('{symbol}', symbol);
  document.getElementById('status').textContent = words
    .replace('{place}', position + 1).replace('{count}', count);
  const body = new URLSearchParams({ act: 'move', symbol, position });
  saving = saving
    .then(() => fetch(address, { method: 'POST', body, redirect: 'manual' }))
    .then((answer) => { if (answer.type !== 'opaqueredirect') throw new Error('refused'); })
    .catch(() => location.reload());
}

function grab(event) {
  const handle = event.target.closest('button.handle');
  if (!handle || event.button) return;
  const row = handle.closest('tr');
  const before = place(row);
  const middle = (other) => {
    const box = other.getBoundingClientRect();
    return (box.top + box.bottom) / 2;
  };
  const follow = ({ clientY }) => {
    put(row, rows().filter((other) => other !== row && middle(other) < clientY).length);
    if (clientY < 90) scrollBy(0, -14);
    else if (clientY > innerHeight - 90) scrollBy(0, 14);
  };
  const drop = () => {
    handle.removeEventListener('pointermove', follow);
    delete row.dataset.dragged;
    if (place(row) !== before) keep(row);
  };
  handle.setPointerCapture(event.pointerId);
  row.dataset.dragged = '';
  handle.addEventListener('pointermove', follow);
  handle.addEventListener('lostpointercapture', drop, { once: true });
}

function press(event) {
  if (!event.target.closest('button.handle')) return;
  const row = event.target.closest('tr');
  const now = place(row);
  const target = { ArrowUp: now - 1, ArrowDown: now + 1, Home: 0, End: rows().length - 1 }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  if (put(row, target)) keep(row);
  row.scrollIntoView({ block: 'nearest' });
}

// The buttons work without this, by a form; here nothing else of the page has to change.
function step(event) {
  const act = event.target.closest('[data-act]')?.dataset.act;
  if (act !== 'up' && act !== 'down') return;
  event.preventDefault();
  const row = event.target.closest('tr');
  if (put(row, place(row) + (act === 'up' ? -1 : 1))) keep(row);
}

// Called after each change of the page.
export function watch() {
  const found = document.querySelector('table[data-order]');
  if (found === table) return;
  table = found;
  table?.addEventListener('pointerdown', grab);
  table?.addEventListener('keydown', press);
  table?.addEventListener('click', step);
}
