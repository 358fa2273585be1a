/** Types of what the web UI uses of uPlot, so that the library itself is not checked. */
export default class uPlot {
  static paths: { bars(options: object): unknown; linear(): unknown };
  constructor(options: object, data: (number | null)[][], target: Element);
  setSize(size: { width: number; height: number }): void;
  destroy(): void;
}
