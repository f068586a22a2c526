export { latticeDrafter } from '@foretoken/speculative';
