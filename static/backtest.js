// How far a backtest is: painted as the subscription tells it; at its end the page is asked for anew.
const SUBSCRIPTION = `subscription Backtest($id: ID!) { backtest(id: $id) {
  state progress stage secondsLeft result { trades } } }`;
let watched = '';
let end = () => {};

function paint(it, hadResult) {
  const panel = document.querySelector('.progress-body');
  if (!panel) return;
  panel.querySelector('progress').value = it.progress;
  panel.querySelector('[data-percent]').textContent = `${Math.round(it.progress * 100)}%`;
  const left = panel.querySelector('[data-left]');
  const words = left.dataset.words.replace('{seconds}', it.secondsLeft);
  left.textContent = it.secondsLeft === null ? '' : words;
  document.querySelector('[data-stage]').textContent = it.stage ?? '';
  const ended = !['PENDING', 'RUNNING'].includes(it.state);
  if (ended || (it.result && !hadResult)) {
    end();
    watched = '';
    location.reload();
  }
}

// Called after each change of the page.
export function watch(prices) {
  const head = document.querySelector('[data-backtest]');
  const id = head?.dataset.backtest ?? '';
  if (id === watched) return;
  end();
  watched = id;
  if (!id) return;
  const hadResult = Boolean(document.querySelector('.curves'));
  end = prices.follow(SUBSCRIPTION, { id }, (data) => paint(data.backtest, hadResult));
}
