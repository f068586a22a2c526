export { type NatOptions, type NatRescoring, nat } from './nat.js';
