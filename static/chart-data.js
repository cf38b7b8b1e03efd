// Data and colours of a chart: columns to points, numbers to texts, style sheet to palette.
const root = document.documentElement;
const formats = new Map();
export const AVERAGE = /^sma_(\d+)$/;
export const BANDS = new Set(['bollinger_upper', 'bollinger_middle', 'bollinger_lower']);

export const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();

export function format(value, digits) {
  if (value === null || value === undefined) return '–';
  if (!formats.has(digits)) {
    const options = {
      minimumFractionDigits: digits, maximumFractionDigits: digits,
      signDisplay: 'negative', // what rounds to nothing has no sign
    };
    formats.set(digits, new Intl.NumberFormat('en-US', options));
  }
  return formats.get(digits).format(value);
}

export function compact(value) {
  const options = { notation: 'compact', maximumFractionDigits: 1 };
  return value === null ? '–' : new Intl.NumberFormat(root.lang || 'en', options).format(value);
}

export function palette() {
  const names = ['up', 'down', 'text', 'muted', 'line', 'grid', 'accent', 'band'];
  const averages = { 5: 1, 20: 2, 50: 5, 60: 3, 120: 4, 200: 6 };
  const colors = Object.fromEntries(names.map((name) => [name, css(`--chart-${name}`)]));
  colors.average = (n) => css(`--chart-${averages[n] ?? 6}`);
  colors.compare = (i) => css(`--chart-${(i % 6) + 1}`);
  return colors;
}

// The points of one column; a gap in the column is a gap in the line.
export const point = (columns, name, i) => {
  const [time, value] = [columns.time[i], columns[name][i]];
  return value === null ? { time } : { time, value };
};
export const points = (columns, name) => columns.time.map((_, i) => point(columns, name, i));

export const hasCandles = (columns) => Boolean(columns.open?.some((v) => v !== null));
export function candle(columns, i) {
  const time = columns.time[i];
  const [open, high, low, close] = ['open', 'high', 'low', 'close'].map((name) => columns[name][i]);
  return close === null || open === null ? { time } : { time, open, high, low, close };
}
export const candles = (columns) => columns.time.map((_, i) => candle(columns, i));

// Which bar a day belongs to: itself, the Monday of its week, its month.
export function period(day, interval) {
  if (interval === 'MONTH') return day.slice(0, 7);
  if (interval !== 'WEEK') return day;
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}

// Puts bars in: of those that were there, the ones of the same periods give way.
export function join(columns, fresh, interval) {
  if (!fresh.time.length) return;
  const [first, last] = [fresh.time[0], fresh.time.at(-1)].map((time) => period(time, interval));
  const before = columns.time.filter((time) => period(time, interval) < first).length;
  const replaced = columns.time.filter((time) => period(time, interval) <= last).length - before;
  for (const name of Object.keys(columns)) columns[name].splice(before, replaced, ...fresh[name]);
}

// The chart library shows seconds as UTC: seconds of an exchange's clock are moved there.
const zones = new Map();
export function clockSeconds(seconds, zone) {
  if (!zone) return seconds;
  if (!zones.has(zone)) {
    const options = { timeZone: zone, hourCycle: 'h23', dateStyle: 'short', timeStyle: 'medium' };
    zones.set(zone, new Intl.DateTimeFormat('sv-SE', options)); // 2013-03-01 09:30:00
  }
  const local = zones.get(zone).format(new Date(seconds * 1000)).replace(' ', 'T');
  return Date.parse(`${local}Z`) / 1000;
}
