// Data and colours of a chart: columns to points, numbers to texts, style sheet to palette.
const root = document.documentElement;
const formats = new Map();
export const AVERAGE = /^sma_(\d+)$/;
export const BANDS = new Set(['bollinger_upper', 'bollinger_middle', 'bollinger_lower']);

export const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();

export function format(value, digits) {
  if (value === null || value === undefined) return '–';
  if (!formats.has(digits)) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
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
export const points = (columns, name) =>
  columns.time.map((time, i) =>
    (columns[name][i] === null ? { time } : { time, value: columns[name][i] }));

export const candles = (columns) =>
  columns.time.map((time, i) =>
    (columns.close[i] === null || columns.open[i] === null ? { time } : {
      time,
      open: columns.open[i], high: columns.high[i], low: columns.low[i], close: columns.close[i],
    }));

export function period(day, interval) {
  if (interval === 'MONTH') return day.slice(0, 7);
  if (interval !== 'WEEK') return day;
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}
