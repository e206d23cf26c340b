/**
 * Why a rule of the core fires, in an operator's words; the figures it looked at are added behind.
 * A rule that is missing here is shown by its name, so that a new rule never breaks the view.
 */
export const rulePhrases: Readonly<Record<string, string>> = {
  'no-method-pays': 'no optimisation is predicted to pay for itself',
  'least-predicted-cost': 'the least predicted cost of all methods',
  'plain-pre-copy': 'the policy uses no optimisation',
  'qemu-auto-converge': "the policy leaves the throttle to QEMU's own auto-converge",
  'hold-trigger-half-cocked': 'ready to act at the very next sync should it be needed',
  'throttle-pays-now': 'the backlog no longer shrinks by itself, so waiting would only cost time',
  'throttle-as-trial': 'nothing is predicted to end this, so the allowed throttle is tried',
  'throttle-too-weak': 'the throttle so far is not enough',
  'throttle-no-longer-needed': 'the rest now goes across by itself',
  'throttle-in-vain': 'the throttle does not help',
  'shorter-pause-for-free': 'the backlog drains by itself: one more round makes the pause shorter',
  'waiting-does-not-pay': 'the pause would get no shorter in time: switch over at the first chance',
  'pause-has-other-parts':
    'the pause has parts that QEMU does not see: full sockets, a throttle just holding the guest',
  'switchover-test-corrected': 'QEMU misjudges how fast the last pages will go across',
  'other-family-is-cheaper': 'starting anew with another method is cheaper than going on',
  'every-allowed-method-tried': 'every allowed method was tried and the backlog is at a low',
  'deadline-forces-post-copy': 'the deadline leaves no time for anything gentler',
  'endless-by-proof': 'a full round has proved that this never ends by itself',
  'held-by-operator': 'an operator holds this VM, so it is not touched',
  'nobody-listened': 'no brain was heard for a while, so agents have let go of the guest',
  stop: 'this attempt has to end',
  'first-rung': 'the ladder begins with auto-converge, asleep',
  'diverging-enable-auto-converge': 'the migration diverges',
  'diverging-tune-auto-converge': 'it still diverges',
  'diverging-try-compression': 'it still diverges, so compression is next',
  'diverging-try-xbzrle': 'it still diverges, so XBZRLE is next',
  'rung-out-of-reach': 'the step cannot be taken here',
  'all-methods-tried': 'every method was tried',
};
