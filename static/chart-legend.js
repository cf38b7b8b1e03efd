// The legend of a chart: the bar under the crosshair, or the newest one.
import { AVERAGE, BANDS, compact, format } from './chart-data.js';

const NAMES = { rsi_14: 'RSI', macd: 'MACD', bollinger_upper: 'BB+', bollinger_lower: 'BB−' };

// Frozen while the crosshair is there: live prices would overwrite what is being read.
export function writeLegend(view, at) {
  const parts = [];
  const times = view.data.series.time;
  const i = view.hovered === null ? times.length - 1 : times.indexOf(view.hovered);
  if (view.compared.length) {
    for (const [name, series] of view.series) {
      const value = at?.seriesData?.get(series)?.value ?? series.data().at(-1)?.value;
      parts.push([name, format(value, 1), series.options().color]);
    }
  } else if (i >= 0) {
    describeBar(view, i, parts);
  }
  const time = view.hovered ?? times.at(-1);
  const stamp = typeof time === 'number'
    ? new Date(time * 1000).toISOString().slice(0, 16).replace('T', ' ') : time;
  view.legend.replaceChildren(...[['', stamp, ''], ...parts].map(([label, value, color]) => {
    const item = document.createElement('span');
    item.textContent = label ? `${label} ${value}` : value;
    if (color) item.style.setProperty('color', color);
    return item;
  }));
}

// What is not known of a bar (of the one that still moves: most) is left out.
function describeBar(view, i, parts) {
  const columns = view.data.series;
  const words = view.legend.dataset;
  const { open, close } = columns;
  const add = (label, name, text, color) => {
    const value = columns[name]?.[i] ?? null;
    if (label && value !== null) parts.push([label, text(value), color]);
  };
  const price = (value) => format(value, view.digits);
  const bar = view.colors[close[i] >= (open?.[i] ?? close[i]) ? 'up' : 'down'];
  for (const name of ['open', 'high', 'low', 'close']) add(words[name], name, price, bar);
  if (view.series.has('volume')) add(words.volume, 'volume', compact, '');
  for (const [name, series] of view.series) {
    const { color } = series.options();
    const average = AVERAGE.exec(name);
    if (average) add(`MA${average[1]}`, name, price, color);
    else if (BANDS.has(name)) add(NAMES[name], name, price, color);
    else add(name === 'macd_signal' ? words.signal : NAMES[name], name, (v) => format(v, 2), color);
  }
}
