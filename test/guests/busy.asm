; A guest that outruns a link of 32 MiB/s: it rewrites pages out of 80 MiB at 59 MiB/s with random
; content, so that plain pre-copy never ends. For a walk by hand, where no test assembles it:
;
;   nasm -I test/guests/ -o busy-guest test/guests/busy.asm

%define SETTINGS     10000, 0xFFFFFFFF, 20480, 1, 0, 0
%define FIRST_PHASE  150, 6667, 20480, 0, 0, 0, 0, 4, 0, 0
%define SECOND_PHASE FIRST_PHASE
%include "guest.asm"
