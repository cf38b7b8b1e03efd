// How a chart gets more bars than it began with: older ones on the left, complete ones on the right.
import { join } from './chart-data.js';

const RENEW_EVERY = 5_000;
const WEEK = 7 * 86_400_000;

// Older bars come when the chart is moved beyond its first one. Lines from 100 keep their start.
export async function growLeft(view, range) {
  const columns = view.data?.series;
  const daily = typeof columns?.time[0] === 'string';
  if (!view.touched || !range || range.from > (view.grown ? 30 : -3) || !daily) return;
  if (view.growing || view.complete || view.compared.length) return;
  view.growing = true;
  try {
    const { series } = await view.columns(`${view.getAttribute('src')}&before=${columns.time[0]}`);
    view.complete = !series.time.length;
    if (view.complete || view.data?.series !== columns) return;
    for (const name of Object.keys(columns)) columns[name].unshift(...series[name]);
    view.grown = true;
    view.refill();
  } catch (error) {
    view.complete = Boolean(error.said);
  } finally {
    view.growing = false;
  }
}

// A new day has begun, so the bars from `known` on are complete now: the source's own take the
// place of what was seen of them.
export function renewFrom(view, known) {
  view.since ??= known;
  return renew(view, () => {
    const address = `${view.getAttribute('src')}&from=${view.since}`;
    view.since = undefined;
    return address;
  }, (fresh) => {
    join(view.data.series, fresh.series, view.data.interval);
    view.refill();
  });
}

// The replay has begun anew, far before the newest bar: everything is asked for again.
export function renewAll(view, quote) {
  const far = Date.parse(view.data.series.time.at(-1)) - Date.parse(quote.day) > WEEK;
  if (quote.state !== 'REPLAY' || !far) return undefined;
  return renew(view, () => view.getAttribute('src'), (fresh) => {
    view.data = fresh;
    view.draw();
  });
}

async function renew(view, address, take) {
  if (view.renewing) return;
  view.renewing = true;
  try {
    const fresh = await view.columns(address(), { cache: 'reload' });
    if (!view.data || !fresh.series.time.length) return;
    take(fresh);
    view.tickNewest();
  } catch (error) {
    if (error.name !== 'AbortError') console.warn('the newest bars did not come:', error.message);
  } finally {
    setTimeout(() => { view.renewing = false; }, RENEW_EVERY);
  }
}
