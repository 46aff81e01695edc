
export function h(tag: string, props?: Record<string, any> | null, ...children: any[]): any;
export function svg(tag: string, props?: Record<string, any> | null, ...children: any[]): any;
export function morph(parent: Node, children: any): void;
export function css(text: string): CSSStyleSheet;
export function waiting(...texts: string[]): any[];
export function toneOf(percent: number): "" | "warn" | "danger";
export function windowsOf(account: any): any[];
export function define(name: string, element: CustomElementConstructor): void;

export class CreditElement extends HTMLElement {
  static styles: CSSStyleSheet[];
  session: any;
  root: any;
  fault: any;
  busy: boolean;
  readonly state: any;
  connectedCallback(): void;
  disconnectedCallback(): void;
  attributeChangedCallback(...changes: any[]): void;
  opened(): void;
  changed(state: any, before: any): void;
  render(): any;
  update(): void;
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
  fire(name: string, detail?: any, cancelable?: boolean): boolean;
  credits(amount: number, exact?: boolean): string;
  number(value: number | string, options?: Intl.NumberFormatOptions): string;
  money(price: string, currency: string): string;
  date(moment: string, options?: Intl.DateTimeFormatOptions): string;
  failure(error: any, retry?: (() => void) | null): any;
  bar(percent: number, label: string, tone?: string): any;
}
