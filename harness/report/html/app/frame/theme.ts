import { h } from './dom.js';

type Theme = 'system' | 'light' | 'dark';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];
const KEY = 'cxlrig-theme';

/** A button that goes through the themes; the choice stays where the browser lets a local file remember it. */
export function themeButton(): { readonly element: HTMLElement; next(): void } {
  let theme = THEMES.find((name) => name === remembered()) ?? 'system';
  const element = h('button', { type: 'button', class: 'theme', onclick: () => next() });
  const apply = (): void => {
    document.documentElement.dataset['theme'] = theme;
    element.textContent = `Theme: ${theme}`;
  };
  const next = (): void => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
    remember(theme);
    apply();
  };
  apply();
  return { element, next };
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // a sandboxed page has no storage; the theme then lasts as long as the page
  }
}
