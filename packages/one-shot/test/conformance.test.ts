import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { latticeConformance } from '@foretoken/testkit';
import { describe, it } from 'vitest';

latticeConformance({ runner: { describe, it }, name: 'ctcGreedy', createDecoder: () => ctcGreedy() });
latticeConformance({ runner: { describe, it }, name: 'ctcPrefixBeam', createDecoder: () => ctcPrefixBeam() });
