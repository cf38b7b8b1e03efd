// Service worker: keeps versioned static files and the offline page, never anything of a user.
const CACHE = 'sise-static-1';
const OFFLINE = '/static/offline.html';

// The offline page and the very files that it names, so that it looks as it should.
async function keepOfflinePage() {
  const cache = await caches.open(CACHE);
  const page = await fetch(OFFLINE, { cache: 'no-cache' });
  const files = (await page.clone().text()).match(/\/static\/[\w./-]+\?v=\w+/g) ?? [];
  await cache.put(OFFLINE, page);
  await cache.addAll([...new Set(files)]);
}

self.addEventListener('install', (event) => {
  event.waitUntil(keepOfflinePage());
  self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  const others = (names) => names.filter((name) => name !== CACHE);
  event.waitUntil(
    caches.keys().then((names) => Promise.all(others(names).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

async function versioned(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    // one version of a file is enough
    const path = new URL(request.url).pathname;
    for (const old of await cache.keys()) {
      if (new URL(old.url).pathname === path) await cache.delete(old);
    }
    await cache.put(request, answer.clone());
  }
  return answer;
}

// A push says how many alerts there are; a click on it leads to them.
self.addEventListener('push', (event) => {
  const { title, body, tag, url } = event.data.json();
  const shown = { body, tag, icon: '/static/icons/sise-192.png', data: url };
  event.waitUntil(self.registration.showNotification(title, shown));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (url.pathname.startsWith('/static/') && url.searchParams.has('v')) {
    event.respondWith(versioned(request));
  }
});
