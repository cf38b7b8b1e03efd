// What is wrong with the layout and the words of the page that is shown. Returns sentences.
() => {
  const faults = [];
  const name = (e) => {
    const marks = [e.id && `#${e.id}`, ...e.classList].filter(Boolean).join('.');
    return `<${e.localName} ${marks}> "${e.textContent.trim().replace(/\s+/g, ' ').slice(0, 40)}"`;
  };
  const style = (e) => getComputedStyle(e);
  const up = function* (e) { for (let n = e; n; n = n.parentElement) yield n; };
  // whether it holds for an element or one around it, asked once of each
  const within = (holds) => {
    const known = new Map();
    const ask = (e) => {
      if (!e) return false;
      if (!known.has(e)) known.set(e, holds(e) || ask(e.parentElement));
      return known.get(e);
    };
    return ask;
  };
  const clipped = within((e) => style(e).clipPath !== 'none' || e.matches('.skip'));
  const fixed = within((e) => ['fixed', 'sticky'].includes(style(e).position));
  const shown = (e) => !clipped(e)
    && e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const width = document.documentElement.clientWidth;

  if (document.documentElement.scrollWidth > width) {
    const wide = [...document.body.querySelectorAll('*')]
      .filter((e) => e.getBoundingClientRect().right > width + 1 && shown(e)).map(name).slice(0, 3);
    faults.push(`the page scrolls sideways: ${wide}`);
  }

  // every piece of text: where it is, and what cuts it
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const pieces = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('script, noscript, option, datalist')) continue;
    if (!shown(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) pieces.push({ element, box });
  }
  // a cell that is too narrow breaks words: more lines than words
  const lines = new Map(pieces.map(({ element }) => [element, new Set()]));
  for (const { element, box } of pieces) lines.get(element).add(Math.round(box.top));
  for (const [element, tops] of lines) {
    const words = element.textContent.trim().split(/[\s/.]+/).length;
    if (tops.size > words) faults.push(`a word is broken: ${name(element)}`);
  }
  for (const { element, box } of pieces) {
    if (box.left < -1 || (box.right > width + 1 && !element.closest('.scroll'))) {
      faults.push(`text outside the window: ${name(element)}`);
    }
    for (const around of up(element)) {
      const { overflowX, overflowY } = style(around);
      if (overflowX === 'visible' && overflowY === 'visible') continue;
      if (['auto', 'scroll'].includes(overflowX) || around === document.body) break;
      const edge = around.getBoundingClientRect();
      if (box.left < edge.left - 1 || box.right > edge.right + 1
        || box.top < edge.top - 1 || box.bottom > edge.bottom + 1) {
        faults.push(`text cut by ${name(around)}: ${name(element)}`);
      }
      break;
    }
  }
  const cellular = 'td, th, dt, dd, button, label, h1, h2, .badge, .code, .price, .move, .sub, p, li > a';
  for (const cell of document.querySelectorAll(cellular)) {
    if (cell.clientWidth && shown(cell) && cell.scrollWidth > cell.clientWidth + 1) {
      faults.push(`text wider than its box: ${name(cell)}`);
    }
  }

  // nothing lies over anything else: text over text, boxes of a panel over their siblings
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2.5;
  const scrolling = within((e) => /auto|scroll/.test(style(e).overflow) && e !== document.body && e.clientHeight < e.scrollHeight - 1);
  const sight = ({ element, box }) => { // what of it is not scrolled away
    if (!scrolling(element)) return box;
    let { left, right, top, bottom } = box;
    for (const around of up(element)) {
      if (around === document.body) break;
      if (!/auto|scroll/.test(style(around).overflow)) continue;
      const edge = around.getBoundingClientRect();
      [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
      [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
    }
    return { left, right, top, bottom };
  };
  const flowing = pieces.filter(({ element }) => !fixed(element)).map((piece) => {
    const seen = sight(piece); // the ink: a line's box has room above and below its letters
    const { top, bottom, height } = piece.box;
    return {
      element: piece.element,
      box: {
        left: seen.left,
        right: seen.right,
        top: Math.max(seen.top, top + height * 0.22),
        bottom: Math.min(seen.bottom, bottom - height * 0.2),
      },
    };
  }).filter(({ box }) => box.right > box.left && box.bottom > box.top);
  flowing.sort((a, b) => a.box.top - b.box.top); // what begins below the end of one cannot meet it
  flowing.forEach((a, i) => {
    for (let j = i + 1; j < flowing.length && flowing[j].box.top < a.box.bottom; j += 1) {
      const b = flowing[j];
      if (a.element !== b.element && over(a.box, b.box)) {
        faults.push(`text over text: ${name(a.element)} and ${name(b.element)}`);
      }
    }
  });
  for (const parent of document.querySelectorAll('body *')) {
    if (parent.closest('stock-chart, equity-chart, svg') || !shown(parent)) continue;
    const boxes = [...parent.children]
      .filter((e) => ['static', 'relative'].includes(style(e).position)
        && !['inline', 'table-column-group'].includes(style(e).display))
      .map((e) => ({ element: e, box: e.getBoundingClientRect() }))
      .filter(({ box }) => box.width && box.height);
    boxes.forEach((a, i) => {
      for (const b of boxes.slice(i + 1)) {
        if (over(a.box, b.box)) faults.push(`boxes overlap: ${name(a.element)} and ${name(b.element)}`);
      }
    });
  }

  // words: nothing of the machine, no English on a Korean page unless it is marked
  const attributes = [...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap(
    (e) => ['aria-label', 'title', 'placeholder'].filter((n) => e.hasAttribute(n))
      .map((n) => ({ element: e, text: e.getAttribute(n) })),
  );
  const texts = [...document.querySelectorAll('body *')].flatMap((element) => [...element.childNodes]
    .filter((n) => n.nodeType === Node.TEXT_NODE && n.data.trim())
    .map((n) => ({ element, text: n.data })));
  const symbols = /'[^']+'|\^[A-Z0-9]+|\b[A-Z0-9]+\.K[SQ]\b|\bAAPL\b/g;
  const known = new RegExp(`\\b(?:${[
    'API', 'QR', 'JSON', 'CSV', 'zip', 'Google', 'Authenticator', 'Aegis', 'Password', '1Password', 'Authorization', 'Bearer', 'graphql',
    'RSI', 'MACD', 'MA', 'KST', 'ET', 'KRW', 'USD', 'ETF', 'Sise', 'D', 'W', 'M', 'Y', 'YTD', 'K',
    'bokeh-sampledata', 'currencyconverter', 'Yahoo', 'Finance', 'Apache', 'License',
    'Enter', 'Esc', 'TWR', 'XIRR', 'CAGR', 'reader', 'JavaScript', 'English', 'IBM', 'KODEX', 'FB', 'GOOG', 'MSFT', 'CSCV', 'NAVER', 'SK', 'SPDR', 'S&P', 'US',
  ].join('|')})(?=\\d|\\b)`, 'g');
  for (const { element, text } of [...texts, ...attributes]) {
    if (element.closest('script, style, noscript')) continue;
    if (/\b(?:NaN|None|undefined|null|Infinity|nan|inf)\b|\[object|%\(|\{\{|\}\}/.test(text)) {
      faults.push(`a word of the machine: "${text.trim()}" in ${name(element)}`);
    }
    const language = element.closest('[lang]').lang;
    const inSymbol = element.closest('.code, kbd, option, input, .chart-box, datalist');
    if (language !== 'ko' || inSymbol) continue;
    if (/[A-Za-z]{2,}/.test(text.replace(symbols, ' ').replace(known, ' '))) {
      faults.push(`English on a Korean page: "${text.trim()}" in ${name(element)}`);
    }
  }
  return [...new Set(faults)];
}
