// <equity-chart>: the value of a unit of a portfolio beside a benchmark, and its drawdown below.
import { css, format, palette, points } from './chart-data.js';

const root = document.documentElement;
let charts = null; // the library

class EquityChart extends HTMLElement {
  connectedCallback() {
    this.ended = new AbortController();
    this.legend = this.closest('.chart-box')?.querySelector('.chart-legend');
    this.watcher = new MutationObserver(() => this.draw());
    this.watcher.observe(root, { attributeFilter: ['data-theme', 'data-colors'] });
    matchMedia('(prefers-color-scheme: dark)')
      .addEventListener('change', () => this.draw(), { signal: this.ended.signal });
    this.load();
  }

  disconnectedCallback() {
    this.ended.abort();
    this.watcher.disconnect();
    this.chart?.remove();
    this.chart = null;
  }

  async load() {
    try {
      const answer = await fetch(this.getAttribute('src'), { signal: this.ended.signal });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.message ?? answer.statusText);
      this.data = body.series;
      if (this.data.time.length < 2) this.say(this.dataset.empty);
      else this.draw();
    } catch (error) {
      if (error.name !== 'AbortError') this.say(error.message);
    }
  }

  say(text) {
    this.setAttribute('aria-busy', 'false');
    this.classList.add('chart-empty');
    this.textContent = text ?? '';
  }

  // Everything anew: after loading, and when the colours change.
  draw() {
    if (!this.data || this.data.time.length < 2) return;
    this.chart?.remove();
    this.replaceChildren();
    const colors = palette();
    const { text, grid, line, muted, accent, down } = colors;
    this.chart = charts.createChart(this, {
      autoSize: true,
      layout: {
        background: { color: 'transparent' }, textColor: muted, attributionLogo: false,
        fontFamily: css('--font') || 'sans-serif', fontSize: 11,
        panes: { separatorColor: line, separatorHoverColor: line, enableResize: false },
      },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      crosshair: { vertLine: { color: text, style: 2 }, horzLine: { color: text, style: 2 } },
      rightPriceScale: { borderColor: line, entireTextOnly: true },
      timeScale: { borderColor: line, rightOffsetPixels: 8 },
      localization: { locale: root.lang || 'en', dateFormat: 'yyyy-MM-dd' },
      handleScroll: { vertTouchDrag: false, mouseWheel: false },
      handleScale: { mouseWheel: false },
    });
    const quiet = { priceLineVisible: false, lastValueVisible: false };
    const of = (places, unit = '') => ({
      type: 'custom', minMove: 10 ** -places, formatter: (v) => format(v, places) + unit,
    });
    const unit = { color: accent, lineWidth: 2, priceFormat: of(1), ...quiet };
    this.lines = [[this.dataset.unit, 'unit', accent, this.add('Line', unit, 0, 'unit')]];
    if (this.data.benchmark) {
      const color = colors.compare(1);
      const beside = { color, lineWidth: 1.5, priceFormat: of(1), ...quiet };
      this.lines.push([this.dataset.benchmark, 'benchmark', color, this.add('Line', beside, 0, 'benchmark')]);
    }
    const percent = { ...this.data, drawdown: this.data.drawdown.map((v) => v === null ? null : v * 100) };
    const fall = {
      topLineColor: down, bottomLineColor: down, lineWidth: 1, baseValue: { type: 'price', price: 0 },
      topFillColor1: 'transparent', topFillColor2: 'transparent',
      bottomFillColor1: 'transparent', bottomFillColor2: css('--chart-volume-down'),
      priceFormat: of(0, '%'), ...quiet,
    };
    const series = this.chart.addSeries(charts.BaselineSeries, fall, 1);
    series.setData(points(percent, 'drawdown'));
    this.lines.push([this.dataset.drawdown, 'drawdown', down, series]);
    this.chart.panes().forEach((pane, i) => pane.setStretchFactor([3, 1][i]));
    this.chart.timeScale().fitContent();
    this.chart.subscribeCrosshairMove((at) => this.describe(at));
    this.describe();
    this.setAttribute('aria-busy', 'false');
  }

  add(type, options, pane, name) {
    const series = this.chart.addSeries(charts[`${type}Series`], options, pane);
    series.setData(points(this.data, name));
    return series;
  }

  // The day under the crosshair, or the newest one.
  describe(at) {
    const i = at?.time ? this.data.time.indexOf(at.time) : this.data.time.length - 1;
    const parts = this.lines.map(([label, name, color]) => {
      const value = this.data[name][i] ?? null;
      const shown = name === 'drawdown' ? `${format(value === null ? null : value * 100, 1)}%` : format(value, 1);
      return [`${label} ${shown}`, color];
    });
    this.legend?.replaceChildren(...[[this.data.time[i] ?? '', ''], ...parts].map(([text, color]) => {
      const item = document.createElement('span');
      item.textContent = text;
      if (color) item.style.setProperty('color', color);
      return item;
    }));
  }
}

export async function define(library) {
  charts = await import(library);
  if (!customElements.get('equity-chart')) customElements.define('equity-chart', EquityChart);
}
