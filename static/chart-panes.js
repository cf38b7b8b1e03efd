// What is drawn: candles or a line, averages and bands, volume, RSI and MACD panes, comparison.
// Each series is added with a function that makes its data, so that it can be filled anew.
import { AVERAGE, BANDS, candles, css, format, hasCandles, points } from './chart-data.js';

const QUIET = { lastValueVisible: false, priceLineVisible: false };
// Prices on the Korean exchange move in steps: below each price, the step.
const KRX_STEPS = [[2e3, 1], [5e3, 5], [2e4, 10], [5e4, 50], [2e5, 100], [5e5, 500]];

function priceFormatOf(view) {
  const { digits } = view;
  let minMove = 10 ** -digits;
  if (digits === 0 && view.getAttribute('currency') === 'KRW') {
    const close = view.data.series.close.findLast((v) => v !== null) ?? 0;
    minMove = KRX_STEPS.find(([below]) => close < below)?.[1] ?? 1000;
  }
  return { type: 'custom', minMove, formatter: (v) => format(v, digits) };
}

export function drawPrices(view) {
  const { up, down, accent, band, muted } = view.colors;
  const columns = view.data.series;
  const priceFormat = priceFormatOf(view);
  if (hasCandles(columns)) {
    view.add('price', 'Candlestick', {
      upColor: up, wickUpColor: up, borderUpColor: up, priceFormat,
      downColor: down, wickDownColor: down, borderDownColor: down,
    }, 0, () => candles(columns));
  } else {
    view.add('price', 'Line', { color: accent, lineWidth: 2, priceFormat }, 0,
      () => points(columns, 'close'));
  }
  for (const name of Object.keys(columns)) {
    const average = AVERAGE.exec(name);
    if (average) view.line(name, view.colors.average(+average[1]), 0, { priceFormat });
    else if (BANDS.has(name)) view.line(name, band, 0, { priceFormat, lineWidth: 1 });
  }
  drawPanes(view, view.list('panes'), muted);
}

// Days on which a signal became strong; the library draws none for a day that has no bar.
export function markers(view) {
  const known = new Set(view.data.series.time);
  const { time = [], level = [] } = view.data.signals ?? {};
  return time.map((day, i) => ({ time: day, buys: level[i] > 0 })).filter((m) => known.has(m.time))
    .map((m) => ({
      time: m.time,
      position: m.buys ? 'belowBar' : 'aboveBar',
      shape: m.buys ? 'arrowUp' : 'arrowDown',
      color: m.buys ? view.colors.up : view.colors.down,
    }));
}

function drawPanes(view, panes, muted) {
  const columns = view.data.series;
  const heights = [5];
  if (panes.includes('volume') && columns.volume?.some((v) => v)) {
    view.add('volume', 'Histogram', {
      ...QUIET, priceScaleId: 'volume', priceFormat: { type: 'volume' },
    }, 0, () => volumes(columns));
    view.chart.priceScale('volume').applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    view.series.get('price').priceScale().applyOptions({
      scaleMargins: { top: 0.06, bottom: 0.2 },
    });
  }
  const plain = (digits) => ({
    type: 'custom', minMove: 10 ** -digits, formatter: (v) => format(v, digits),
  });
  if (panes.includes('rsi') && columns.rsi_14) {
    const rsi = view.line('rsi_14', view.colors.accent, heights.length, {
      // the scale says 30 and 70, and nothing else
      priceFormat: { ...plain(0), tickmarksFormatter: (all) => all.map(() => '') },
      autoscaleInfoProvider: () => ({ priceRange: { minValue: 10, maxValue: 90 } }),
    });
    for (const price of [30, 70]) {
      rsi.createPriceLine({
        price, color: muted, lineWidth: 1, lineStyle: 2,
        axisLabelColor: css('--panel'), axisLabelTextColor: muted,
      });
    }
    heights.push(1.5);
  }
  if (panes.includes('macd') && columns.macd) {
    const pane = heights.length;
    const priceFormat = plain(view.digits);
    view.add('macd_histogram', 'Histogram', { ...QUIET, priceFormat }, pane,
      () => points(columns, 'macd_histogram').map((p) => ('value' in p
        ? { ...p, color: p.value >= 0 ? view.colors.up : view.colors.down } : p)));
    view.line('macd', view.colors.average(20), pane, { priceFormat });
    view.line('macd_signal', view.colors.average(60), pane, { priceFormat });
    heights.push(1.5);
  }
  view.chart.panes().forEach((pane, i) => pane.setStretchFactor(heights[i] ?? 1.5));
}

function volumes(columns) {
  const [up, down] = [css('--chart-volume-up'), css('--chart-volume-down')];
  return columns.time.map((time, i) => ({
    time,
    value: columns.volume[i] ?? 0,
    color: (columns.close[i] ?? 0) >= (columns.open[i] ?? 0) ? up : down,
  }));
}

// Several instruments as lines that begin at 100, on the first day that all of them have.
export function drawComparison(view) {
  const all = [
    { symbol: view.getAttribute('symbol'), columns: view.data.series }, ...view.compared,
  ].filter(({ columns }) => columns.time.length);
  const start = all.map(({ columns }) => columns.time[0]).reduce((a, b) => (a > b ? a : b));
  const priceFormat = { type: 'custom', minMove: 0.1, formatter: (v) => format(v, 1) };
  all.forEach(({ symbol, columns }, i) => {
    const base = columns.close.find((v, k) => columns.time[k] >= start && v !== null);
    const color = i ? view.colors.compare(i) : view.colors.accent;
    view.add(symbol, 'Line', { color, lineWidth: 2, priceFormat, priceLineVisible: false }, 0,
      () => columns.time.flatMap((time, k) => (time < start || columns.close[k] === null
        ? [] : [{ time, value: (100 * columns.close[k]) / base }])));
  });
}
