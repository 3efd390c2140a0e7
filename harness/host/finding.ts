/** What one check of the host found. */
export interface Finding {
  readonly subject: string;
  /** `fail`: guests can't be booted; `warn`: some work can't be done, or is near its limit */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** what to do about it, one sentence */
  readonly remedy?: string;
}
