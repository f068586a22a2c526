export { type NatOptions, nat } from './nat.js';
