/** Colours of the charts, from the style sheet: it knows whether it is dark. */

export interface Theme {
  readonly ink: string;
  readonly faint: string;
  readonly grid: string;
  readonly surface: string;
  readonly accent: string;
  readonly accentFill: string;
  readonly guest: string;
  readonly throttle: string;
  readonly throttleFill: string;
  readonly good: string;
}

/** As it is now; ask again after `onThemeChange`. */
export function currentTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour('ink'),
    faint: colour('faint'),
    grid: colour('grid'),
    surface: colour('surface'),
    accent: colour('accent'),
    accentFill: colour('accent-fill'),
    guest: colour('guest'),
    throttle: colour('throttle'),
    throttleFill: colour('throttle-fill'),
    good: colour('good'),
  };
}

/** Calls back when the user changes between light and dark. */
export function onThemeChange(changed: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}
