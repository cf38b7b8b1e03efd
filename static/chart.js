// <stock-chart>: loads its columns, draws them, moves the last bar with the live price.
import { candles, css, palette, period, points } from './chart-data.js';
import { writeLegend } from './chart-legend.js';
import { drawComparison, drawPrices } from './chart-panes.js';

const root = document.documentElement;
let charts = null; // the library
let live = null; // the module of live prices

class StockChart extends HTMLElement {
  connectedCallback() {
    this.ended = new AbortController();
    this.legend = this.closest('.chart-box')?.querySelector('.chart-legend');
    this.digits = Number(this.getAttribute('digits') ?? 2);
    this.watcher = new MutationObserver(() => this.draw());
    this.watcher.observe(root, { attributeFilter: ['data-theme', 'data-colors'] });
    this.scheme = matchMedia('(prefers-color-scheme: dark)');
    this.scheme.addEventListener('change', () => this.draw(), { signal: this.ended.signal });
    this.load().catch((error) => this.fail(error));
  }

  disconnectedCallback() {
    this.ended.abort();
    this.watcher.disconnect();
    this.unlisten?.();
    this.chart?.remove();
    this.chart = null;
  }

  list(name) {
    return (this.getAttribute(name) ?? '').split(',').map((s) => s.trim()).filter(Boolean);
  }

  async columns(url) {
    const answer = await fetch(url, { signal: this.ended.signal });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.message ?? answer.statusText);
    return body;
  }

  async load() {
    const source = this.getAttribute('src');
    const others = this.list('compare');
    const symbol = this.getAttribute('symbol');
    const of = (other) => source.replace(encodeURIComponent(symbol), encodeURIComponent(other));
    const [own, ...rest] = await Promise.all(
      [source, ...others.map(of)].map((url) => this.columns(url)),
    );
    this.data = own;
    this.compared = rest.map((data, i) => ({ symbol: others[i], columns: data.series }));
    if (!own.series.time.length) throw new Error(own.reason ?? this.dataset.empty ?? '');
    this.draw();
    this.unlisten = live.listen((name, quote) => { if (name === symbol) this.tick(quote); });
    const quote = live.newest(symbol);
    if (quote) this.tick(quote);
  }

  fail(error) {
    if (error.name === 'AbortError') return;
    this.setAttribute('aria-busy', 'false');
    this.classList.add('chart-empty');
    this.textContent = error.message;
  }

  // Everything anew: after loading, and when the colours change.
  draw() {
    if (!this.data) return;
    const visible = this.chart?.timeScale().getVisibleLogicalRange();
    this.chart?.remove();
    this.replaceChildren();
    this.colors = palette();
    this.series = new Map();
    this.chart = charts.createChart(this, this.options());
    if (this.compared.length) drawComparison(this);
    else drawPrices(this);
    if (visible) this.chart.timeScale().setVisibleLogicalRange(visible);
    else this.chart.timeScale().fitContent();
    this.chart.subscribeCrosshairMove((at) => this.describe(at));
    this.describe();
    this.setAttribute('aria-busy', 'false');
  }

  options() {
    const { text, grid, line, muted } = this.colors;
    const intraday = typeof this.data.series.time[0] === 'number';
    return {
      autoSize: true,
      layout: {
        background: { color: 'transparent' }, textColor: muted, attributionLogo: false,
        fontFamily: css('--font') || 'sans-serif', fontSize: 11,
        panes: { separatorColor: line, separatorHoverColor: line, enableResize: false },
      },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      crosshair: { vertLine: { color: text, style: 2 }, horzLine: { color: text, style: 2 } },
      rightPriceScale: {
        borderColor: line, mode: this.getAttribute('scale') === 'log' ? 1 : 0,
      },
      timeScale: { borderColor: line, timeVisible: intraday, secondsVisible: false },
      localization: { locale: root.lang || 'en', dateFormat: 'yyyy-MM-dd' },
      handleScroll: { vertTouchDrag: false },
    };
  }

  add(name, type, options, pane, data) {
    const series = this.chart.addSeries(charts[`${type}Series`], options, pane);
    series.setData(data);
    this.series.set(name, series);
    return series;
  }

  line(name, color, pane, extra = {}) {
    const options = {
      color, lineWidth: 1.5, priceLineVisible: false, lastValueVisible: false,
      crosshairMarkerVisible: false, ...extra,
    };
    return this.add(name, 'Line', options, pane, points(this.data.series, name));
  }

  // Frozen while the crosshair is there: `hovered` is its time, null at the newest bar.
  describe(at) {
    this.hovered = at?.time ?? null;
    if (this.legend) writeLegend(this, at);
  }

  // A live price moves the last bar, or begins the next one; older prices are left alone.
  tick(quote) {
    const columns = this.data?.series;
    const moving = ['LIVE', 'DELAYED', 'REPLAY'].includes(quote.state);
    if (!moving || !columns || this.compared.length || !this.chart) return;
    const { interval } = this.data;
    const last = columns.time.length - 1;
    if (typeof columns.time[last] === 'number') return;
    if (quote.day < columns.time[last] && interval === 'DAY') return;
    const same = period(quote.day, interval) === period(columns.time[last], interval);
    if (!same && quote.day < columns.time[last]) return;
    const i = same ? last : last + 1;
    if (!same) for (const name of Object.keys(columns)) columns[name].push(null);
    columns.time[i] = same ? columns.time[i] : quote.day;
    columns.close[i] = quote.price;
    if (columns.open) {
      columns.open[i] ??= quote.price;
      columns.high[i] = Math.max(columns.high[i] ?? quote.price, quote.price);
      columns.low[i] = Math.min(columns.low[i] ?? quote.price, quote.price);
    }
    const bar = columns.open ? candles(columns).at(-1) : { time: columns.time[i], value: quote.price };
    this.series.get('price').update(bar);
    if (this.hovered === null) this.describe();
  }
}

export async function define(library, liveModule) {
  [charts, live] = await Promise.all([import(library), liveModule]);
  if (!customElements.get('stock-chart')) customElements.define('stock-chart', StockChart);
}
