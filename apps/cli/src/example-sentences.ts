/** Sentences to race when none are given, in the manner of picture captions, each with a translation by hand. */
export const EXAMPLE_SENTENCES: readonly { readonly source: string; readonly reference: string }[] = [
  {
    source: 'A man in a blue shirt is standing on a ladder cleaning a window.',
    reference: 'Ein Mann in einem blauen Hemd steht auf einer Leiter und putzt ein Fenster.',
  },
  { source: 'Two dogs are running through the snow.', reference: 'Zwei Hunde laufen durch den Schnee.' },
  {
    source: 'A little girl is climbing into a wooden playhouse.',
    reference: 'Ein kleines Mädchen klettert in ein Spielhaus aus Holz.',
  },
  {
    source: 'Several people are sitting at a table outside a restaurant.',
    reference: 'Mehrere Personen sitzen an einem Tisch vor einem Restaurant.',
  },
  {
    source: 'A woman wearing a red coat is walking her dog along the beach.',
    reference: 'Eine Frau in einem roten Mantel geht mit ihrem Hund am Strand spazieren.',
  },
  {
    source: 'A boy jumps into the swimming pool while his friends watch.',
    reference: 'Ein Junge springt ins Schwimmbecken, während seine Freunde zusehen.',
  },
  {
    source: 'An old man is playing the guitar on a street corner.',
    reference: 'Ein alter Mann spielt an einer Straßenecke Gitarre.',
  },
  {
    source: 'Three children are playing soccer on a green field.',
    reference: 'Drei Kinder spielen auf einer grünen Wiese Fußball.',
  },
  {
    source: 'A young woman with long hair is taking a picture of a mountain.',
    reference: 'Eine junge Frau mit langen Haaren fotografiert einen Berg.',
  },
  {
    source: 'A cyclist is riding down a dirt road in the forest.',
    reference: 'Ein Radfahrer fährt einen Feldweg im Wald hinunter.',
  },
  {
    source: 'Two women in white aprons are preparing food in a large kitchen.',
    reference: 'Zwei Frauen in weißen Schürzen bereiten in einer großen Küche Essen zu.',
  },
  {
    source: 'A crowd of people is watching a band perform on a stage at night.',
    reference: 'Eine Menschenmenge sieht nachts einer Band beim Auftritt auf einer Bühne zu.',
  },
];

/** Sentences as people type them, each with what was meant. */
export const MISTAKEN_SENTENCES: readonly { readonly source: string; readonly reference: string }[] = [
  {
    source: 'i dont know were teh keys are but i will look for them tomorow',
    reference: "I don't know where the keys are, but I will look for them tomorrow.",
  },
  {
    source: 'The goverment has recieved alot of letters about the new libary.',
    reference: 'The government has received a lot of letters about the new library.',
  },
  {
    source: 'she have two brothers and they lives in london',
    reference: 'She has two brothers, and they live in London.',
  },
  {
    source: 'It is neccessary to seperate the two groups , becuase they are very diffrent.',
    reference: 'It is necessary to separate the two groups, because they are very different.',
  },
  {
    source: 'see https://example.com/help befor you start teh program',
    reference: 'See https://example.com/help before you start the program.',
  },
  {
    source: 'The weather was good, so we walked along the river.',
    reference: 'The weather was good, so we walked along the river.',
  },
];
