// A click on the prices of a chart: the form beside its title offers an alert at that price.
import { format } from './chart-data.js';

export function offerAlert(view) {
  const form = document.querySelector('form[data-alert-at]');
  if (!form || form.elements.symbol.value !== view.symbol) return;
  view.chart.subscribeClick(({ point, paneIndex }) => {
    const price = point && !paneIndex && view.series.get('price')?.coordinateToPrice(point.y);
    if (!(price > 0)) return;
    form.elements.level.value = price.toFixed(view.digits);
    const words = form.dataset.alertAt.replace('{price}', format(price, view.digits));
    form.querySelector('button').textContent = words;
  });
}
