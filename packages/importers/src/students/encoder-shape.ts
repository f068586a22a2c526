/** Sizes of the encoder that students read, whatever architecture it is of. */
export interface EncoderShape {
  readonly vocabularySize: number;
  readonly width: number;
  readonly encoderLayers: number;
  readonly maxPositions: number;
}
