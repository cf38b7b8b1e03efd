// Alerts as they come: the bell counts them, a line tells them, an open list of them is fetched anew.
const SUBSCRIPTION = 'subscription Alerts { alerts { id sentence } }';
const SHOWN = 15_000;
const bell = () => document.querySelector('[data-bell]');
let end = null;

function count(unread) {
  const link = bell();
  if (!link) return;
  link.dataset.bell = unread;
  link.querySelector('.bell-count').textContent = unread ? String(unread) : '';
  link.setAttribute('aria-label', link.dataset.words.replace('{count}', unread));
}

function tell(sentence) {
  const line = document.createElement('a');
  line.href = '/alerts';
  line.textContent = sentence;
  document.getElementById('status')?.append(line);
  setTimeout(() => line.remove(), SHOWN);
}

function come({ alerts }) {
  count(Number(bell()?.dataset.bell ?? 0) + 1);
  tell(alerts.sentence);
  document.body.dispatchEvent(new CustomEvent('alert-came'));
}

// A browser that is to be pushed to: it subscribes, and the form of the channels takes what it says.
async function subscribe(button) {
  const problem = document.getElementById('push-error');
  try {
    const worker = await navigator.serviceWorker.ready;
    if ((await Notification.requestPermission()) !== 'granted') throw new Error(Notification.permission);
    const made = await worker.pushManager.subscribe({
      userVisibleOnly: true, applicationServerKey: button.dataset.push,
    });
    const form = document.getElementById('channel-form');
    const kind = form.elements.kind;
    kind.add(new Option(button.textContent, 'PUSH', true, true));
    form.elements.address.value = JSON.stringify(made);
    form.requestSubmit(form.querySelector('[type=submit]'));
  } catch (error) {
    problem.textContent = button.dataset.failed.replace('{why}', error.message);
    problem.hidden = false;
  }
}

// Called after each change of the page.
export function watch(prices) {
  const button = document.querySelector('[data-push]');
  if (button && 'PushManager' in window && !button.onclick) {
    button.hidden = false;
    button.onclick = () => subscribe(button);
  }
  if (bell() && !end) end = prices.follow(SUBSCRIPTION, {}, come);
  else if (!bell() && end) { end(); end = null; }
}
