/** A WAV file of 16 bits, one channel, 16,000 samples a second. */
export function wavOf(samples: Float32Array): Uint8Array {
  const file = Buffer.alloc(44 + 2 * samples.length);
  file.write('RIFF....WAVEfmt ');
  file.set([16, 0, 0, 0, 1, 0, 1, 0, 0x80, 0x3e, 0, 0, 0, 0, 0, 0, 2, 0, 16, 0], 16);
  file.write('data', 36);
  file.writeUInt32LE(2 * samples.length, 40);
  for (const [at, sample] of samples.entries()) file.writeInt16LE(Math.round(32_767 * sample), 44 + 2 * at);
  return new Uint8Array(file);
}
