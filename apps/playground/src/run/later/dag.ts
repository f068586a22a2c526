export { dagLookahead } from '@foretoken/one-shot';
