/** How a model turns conversations into prompts: a template in Jinja, and the texts of the tokens that it names. */
export interface ChatFiles {
  readonly template: string;
  /** By names such as `bos_token`. */
  readonly tokens: Readonly<Record<string, string>>;
}

/** Tokens that templates name. */
export const TEMPLATE_TOKENS = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;
