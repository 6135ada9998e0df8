/** What the elements of a network are asked for. Pure. */
export interface Element {
  /** The network of the city that it belongs to, unless another is named. */
  readonly network: string;
  readonly along: boolean;
  readonly diameter: boolean;
  /** Unit of its capacity for the reader, and what one of it is on the wire. */
  readonly capacity: { readonly unit: string; readonly factor: number } | null;
}

const POWER = { unit: 'kW', factor: 1 };

export const ELEMENTS: Readonly<Record<string, Element>> = {
  main: { network: 'water', along: true, diameter: true, capacity: null },
  pump: { network: 'water', along: false, diameter: false, capacity: { unit: 'L/s', factor: 1e-3 } },
  tank: { network: 'water', along: false, diameter: false, capacity: { unit: 'm³', factor: 1 } },
  feeder: { network: 'power', along: true, diameter: false, capacity: POWER },
  substation: { network: 'power', along: false, diameter: false, capacity: POWER },
};
