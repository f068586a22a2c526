/** One way to get a model wrong, and the law that finds it. */
export interface Fault<Model> {
  readonly fault: string;
  readonly law: string;
  readonly plant: (model: Model) => Model;
}

export const ENCODING = 'reads an encoding of the sources as it reads the sources, and refuses one that is not of them';

export const OPTIONS = 'refuses options that it does not have, and values of a wrong type';
