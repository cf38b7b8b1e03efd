// <stock-chart>: loads its columns, draws them, moves the last bar with the live price.
import {
  AVERAGE, candle, clockSeconds, css, hasCandles, palette, point, points,
} from './chart-data.js';
import { offerAlert } from './chart-alert.js';
import { growLeft, renewAll, renewFrom } from './chart-growth.js';
import { writeLegend } from './chart-legend.js';
import { drawComparison, drawPrices, markers } from './chart-panes.js';
import { move, place } from './chart-tick.js';

const TRY_AGAIN = 3_000;
const root = document.documentElement;
let charts = null; // the library
let live = null; // the module of live prices

class StockChart extends HTMLElement {
  connectedCallback() {
    this.ended = new AbortController();
    this.legend = this.closest('.chart-box')?.querySelector('.chart-legend');
    this.digits = Number(this.getAttribute('digits') ?? 2);
    this.symbol = this.getAttribute('symbol');
    this.watcher = new MutationObserver(() => this.draw());
    this.watcher.observe(root, { attributeFilter: ['data-theme', 'data-colors'] });
    this.scheme = matchMedia('(prefers-color-scheme: dark)');
    this.scheme.addEventListener('change', () => this.draw(), { signal: this.ended.signal });
    this.unlisten = live.listen((name, quote) => { if (name === this.symbol) this.tick(quote); });
    // only a reader's own hand asks for older bars, never the fitting of the first ones
    for (const gesture of ['pointerdown', 'wheel']) {
      const options = { signal: this.ended.signal, passive: true };
      this.addEventListener(gesture, () => { this.touched = true; }, options);
    }
    this.load();
  }

  disconnectedCallback() {
    this.ended.abort();
    this.watcher.disconnect();
    this.unlisten();
    this.chart?.remove();
    this.chart = null;
    this.data = null;
  }

  list(name) {
    return (this.getAttribute(name) ?? '').split(',').map((s) => s.trim()).filter(Boolean);
  }

  async columns(url, options = {}) {
    const answer = await fetch(url, { signal: this.ended.signal, ...options });
    const body = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(body.message ?? answer.statusText), { said: true });
    const { time } = body.series;
    const zone = this.getAttribute('zone');
    body.series.time = time.map((t) => (typeof t === 'number' ? clockSeconds(t, zone) : t));
    return body;
  }

  async load() {
    const source = this.getAttribute('src');
    const others = this.list('compare');
    const of = (other) => source.replace(encodeURIComponent(this.symbol), encodeURIComponent(other));
    try {
      const [own, ...rest] = await Promise.all(
        [source, ...others.map(of)].map((url) => this.columns(url)),
      );
      this.data = own;
      this.compared = rest.map((data, i) => ({ symbol: others[i], columns: data.series }));
      if (!own.series.time.length) this.say(own.reason ?? this.dataset.empty);
      else this.draw();
    } catch (error) {
      this.fail(error);
    }
  }

  // What the server says stands there; when it does not answer, it is asked again.
  fail(error) {
    if (error.name === 'AbortError') return;
    this.say(error.said ? error.message : this.dataset.failed);
    if (!error.said) setTimeout(() => this.isConnected && this.load(), TRY_AGAIN);
  }

  say(text) {
    this.chart?.remove();
    this.chart = null;
    this.setAttribute('aria-busy', 'false');
    this.classList.add('chart-empty');
    this.textContent = text ?? '';
  }

  // Everything anew: after loading, and when the colours change.
  draw() {
    if (!this.data?.series.time.length) return;
    const visible = this.chart?.timeScale().getVisibleLogicalRange();
    this.chart?.remove();
    this.replaceChildren();
    this.classList.remove('chart-empty');
    this.colors = palette();
    this.series = new Map();
    this.fillers = new Map();
    this.chart = charts.createChart(this, this.options());
    offerAlert(this);
    if (this.compared.length) drawComparison(this);
    else {
      drawPrices(this);
      this.signals = charts.createSeriesMarkers(this.series.get('price'), markers(this));
    }
    this.mark();
    if (visible) this.chart.timeScale().setVisibleLogicalRange(visible);
    else this.chart.timeScale().fitContent();
    this.chart.subscribeCrosshairMove((at) => this.describe(at));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => growLeft(this, range));
    this.setAttribute('aria-busy', 'false');
    this.tickNewest();
    this.describe();
  }

  // What a backtest bought (+) and sold (-): `2020-03-04+ 2020-04-01-`. Such a chart is of the past.
  mark() {
    const { up, down } = this.colors;
    const marks = (this.getAttribute('marks') ?? '').split(' ').filter(Boolean).map((text) => (
      text.endsWith('+')
        ? { time: text.slice(0, 10), position: 'belowBar', shape: 'arrowUp', color: up }
        : { time: text.slice(0, 10), position: 'aboveBar', shape: 'arrowDown', color: down }
    ));
    this.marks = marks.length ? charts.createSeriesMarkers(this.series.get('price'), marks) : null;
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
        borderColor: line, entireTextOnly: true,
        mode: this.getAttribute('scale') === 'log' ? 1 : 0,
      },
      timeScale: {
        borderColor: line, timeVisible: intraday, secondsVisible: false, rightOffsetPixels: 14,
      },
      localization: { locale: root.lang || 'en', dateFormat: 'yyyy-MM-dd' },
      handleScroll: { vertTouchDrag: false },
    };
  }

  add(name, type, options, pane, make) {
    const series = this.chart.addSeries(charts[`${type}Series`], options, pane);
    series.setData(make());
    this.series.set(name, series);
    this.fillers.set(name, make);
    return series;
  }

  line(name, color, pane, extra = {}) {
    const options = {
      color, lineWidth: 1.5, priceLineVisible: false, lastValueVisible: false,
      crosshairMarkerVisible: false, ...extra,
    };
    return this.add(name, 'Line', options, pane, () => points(this.data.series, name));
  }

  refill() {
    for (const [name, series] of this.series) series.setData(this.fillers.get(name)());
    this.signals?.setMarkers(markers(this));
  }

  // Frozen while the crosshair is there: `hovered` is its time, null at the newest bar. Neither
  // does a new bar move the others away from under it.
  describe(at) {
    const before = this.hovered;
    this.hovered = at?.time ?? null;
    if (!before !== !this.hovered) {
      this.chart.timeScale().applyOptions({ shiftVisibleRangeOnNewBar: !this.hovered });
    }
    if (this.legend) writeLegend(this, at);
  }

  tickNewest() {
    const quote = live.newest(this.symbol);
    if (quote) this.tick(quote);
  }

  // A live price moves the last bar or begins the next; then what lies before is asked for again,
  // since the day that has just ended is complete now.
  tick(quote) {
    const columns = this.data?.series;
    if (!columns || !this.chart || this.compared.length || this.marks) return;
    const { interval } = this.data;
    const zone = this.getAttribute('zone');
    const where = place(columns, interval, quote, zone);
    if (where === 'past') renewAll(this, quote);
    if (where !== 'last' && where !== 'next') return;
    const known = columns.time.at(-1);
    const i = move(columns, interval, quote, zone, where);
    const drawn = hasCandles(columns) ? candle(columns, i) : point(columns, 'close', i);
    this.series.get('price').update(drawn);
    for (const [name, series] of this.series) {
      if (AVERAGE.test(name)) series.update(point(columns, name, i));
    }
    if (this.hovered === null) this.describe();
    if (where === 'next' && typeof known === 'string') renewFrom(this, known);
  }
}

export async function define(library, liveModule) {
  [charts, live] = await Promise.all([import(library), liveModule]);
  if (!customElements.get('stock-chart')) customElements.define('stock-chart', StockChart);
}
