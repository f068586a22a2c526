export { scoreWithModel } from './score-with-model.js';
