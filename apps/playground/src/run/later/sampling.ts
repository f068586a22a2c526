export { sampling } from '@foretoken/greedy';
