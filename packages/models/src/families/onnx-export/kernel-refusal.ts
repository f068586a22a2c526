import { ForetokenError } from '@foretoken/core';
import { unsupportedModel } from '../../folder/refusal.js';

/** What ONNX Runtime says of operators that it cannot run. */
const NO_KERNEL = /NOT_IMPLEMENTED|Could not find an implementation|is not a registered function|No Op registered/i;

/**
 * What opening a graph gives. Throws `UNSUPPORTED_MODEL` where the runtime has no kernel for one of its operators, as in exports for other
 * devices.
 */
export async function openedGraph<Session>(file: string, open: () => Promise<Session>): Promise<Session> {
  try {
    return await open();
  } catch (cause) {
    if (!ForetokenError.isInstance(cause) || cause.code !== 'RUNTIME_FAILURE' || !NO_KERNEL.test(cause.message))
      throw cause;
    throw unsupportedModel(
      `${file} has an operator that the ONNX Runtime in use cannot run here: ${cause.message} Take an export for this device, such as one in fp32 for the CPU, or import the weights.`,
      { file, field: 'operators', required: 'operators that the ONNX Runtime in use has kernels for' },
      cause,
    );
  }
}
