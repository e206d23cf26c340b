/**
 * Why a rule of the core fires, in an operator's words; the figures it looked at are added behind.
 * A rule that is missing here is shown by its name, so that a new rule never breaks the view.
 */
export const rulePhrases: Readonly<Record<string, string>> = {};
