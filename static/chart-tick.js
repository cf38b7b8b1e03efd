// What a live price does to the columns of a chart: it moves the last bar or begins the next one.
import { AVERAGE, clockSeconds, period } from './chart-data.js';

const MOVING = new Set(['LIVE', 'DELAYED', 'REPLAY']);

// Where the price belongs: 'last' bar, 'next' bar, 'past' (an older day), or null: nowhere.
export function place(columns, interval, quote, zone) {
  if (!MOVING.has(quote.state) || !columns.time.length) return null;
  const last = columns.time.at(-1);
  if (typeof last === 'number') {
    if (quote.state === 'REPLAY') return null;
    const now = bucket(quote, interval, zone);
    return now === last ? 'last' : now > last ? 'next' : null;
  }
  if (period(quote.day, interval) === period(last, interval)) return 'last';
  return quote.day > last ? 'next' : 'past';
}

// The beginning of the bar of minutes that a price falls into.
function bucket(quote, interval, zone) {
  const width = 60 * Number(interval.split('_')[1]);
  const seconds = clockSeconds(Math.floor(Date.parse(quote.at) / 1000), zone);
  return seconds - (seconds % width);
}

// Only what is seen is drawn: a bar that began before this page was open has the prices since then
// until the source's own bar takes its place.
export function move(columns, interval, quote, zone, where) {
  if (where === 'next') {
    for (const name of Object.keys(columns)) columns[name].push(null);
    const within = typeof columns.time[0] === 'number';
    columns.time[columns.time.length - 1] = within ? bucket(quote, interval, zone) : quote.day;
  }
  const i = columns.time.length - 1;
  columns.close[i] = quote.price;
  if (columns.open) {
    columns.open[i] ??= quote.price;
    columns.high[i] = Math.max(columns.high[i] ?? quote.price, quote.price);
    columns.low[i] = Math.min(columns.low[i] ?? quote.price, quote.price);
  }
  for (const name of Object.keys(columns)) {
    const average = AVERAGE.exec(name);
    if (average) columns[name][i] = mean(columns.close.slice(-average[1]), Number(average[1]));
  }
  return i;
}

function mean(values, count) {
  if (values.length < count || values.includes(null)) return null;
  return values.reduce((sum, value) => sum + value, 0) / count;
}
