// What axe finds on the page that is shown. Returns sentences.
async () => {
  // contrast takes three quarters of its time: it is asked of one text of each kind, by all that
  // colours it (its own colour and size, and what lies behind it)
  const style = (e) => getComputedStyle(e);
  const behind = (e) => {
    const layers = [];
    for (let n = e; n; n = n.parentElement) {
      const { backgroundColor, backgroundImage, opacity, filter } = style(n);
      layers.push(backgroundColor, backgroundImage, opacity, filter);
    }
    return layers.join();
  };
  const kinds = new Map();
  for (const element of document.querySelectorAll('body *')) {
    const typed = element.matches('input, select, textarea');
    if (!typed && ![...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight, textShadow, position } = style(element);
    const kind = [color, fontSize, fontWeight, textShadow, position, element.disabled, behind(element)].join();
    if (!kinds.has(kind)) kinds.set(kind, element);
  }
  for (const element of kinds.values()) element.dataset.contrast = '';
  window.axe.configure({ rules: [{ id: 'color-contrast', selector: '[data-contrast]' }] });
  const { violations } = await window.axe.run({ resultTypes: ['violations'], preload: false });
  for (const element of kinds.values()) delete element.dataset.contrast;
  return violations.map((v) => (
    `${v.id}: ${v.help} ${v.nodes.map((n) => n.html.slice(0, 90)).slice(0, 3)}`));
}
