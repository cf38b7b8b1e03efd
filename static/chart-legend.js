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
  const bar = view.colors[close[i] >= (open?.[i] ?? close[i]) ? 'up' : 'down'];
  for (const name of ['open', 'high', 'low', 'close']) {
    const value = columns[name]?.[i] ?? null;
    if (value !== null) parts.push([words[name], format(value, view.digits), bar]);
  }
  for (const [name, series] of view.series) {
    const average = AVERAGE.exec(name);
    const label = average ? `MA${average[1]}` : words[name.replace('macd_', '')] ?? NAMES[name];
    const value = columns[name]?.[i] ?? null;
    if (!label || value === null) continue;
    const digits = average || BANDS.has(name) ? view.digits : 2;
    const text = name === 'volume' ? compact(value) : format(value, digits);
    parts.push([label, text, name === 'volume' ? '' : series.options().color]);
  }
}
