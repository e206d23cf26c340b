; A guest without an operating system: dirties memory at a known pace, in a known pattern, with
; known content, and counts what it did where the outside can read it.
;
; A multiboot image, so that QEMU's -kernel loads it into 32-bit protected mode. guest.ts
; assembles it with -DSETTINGS, -DFIRST_PHASE and -DSECOND_PHASE, which it keeps in the order of
; the structures below. Loops over the bytes of a page are written out and not called, because
; call and ret are slow under TCG.

bits 32
cpu x64

load_address     equ 0x100000
memory_base      equ 0x200000           ; page 0 of the working set
stack_top        equ 0xA000
page_dwords      equ 1024
units_per_tick   equ 1000000            ; the work of a tick, whatever it dirties
pm_timer_port    equ 0x608              ; ACPI power management timer, where SeaBIOS puts it
pm_timer_khz     equ 3580
calibration_time equ 50 * pm_timer_khz
code_selector    equ 8
data_selector    equ 16

content_random   equ 0
content_text     equ 1
content_sparse   equ 2
content_mixed    equ 3

struc settings
.tick_microseconds:   resd 1
.second_phase_after:  resd 1            ; milliseconds; all ones = never
.filled_pages:        resd 1            ; filled at boot, from memory_base on
.halts:               resd 1            ; between ticks: 1 halts, 0 spins
endstruc

struc phase
.pages_per_tick:      resd 1            ; 0 = idle
.units_per_page:      resd 1
.working_set_pages:   resd 1
.hot_pages:           resd 1
.hot_threshold:       resd 1            ; share of the writes that hit the hot set, of 2^32
.sequential:          resd 1
.content:             resd 1
.sparse_dwords:       resd 1
.burst_on:            resd 1            ; milliseconds; 0 = always on
.burst_off:           resd 1
endstruc

; What the observer reads, see observer.ts. Its counters are written with one store of 64 bits.
struc report
.magic:               resd 1
.ready:               resd 1            ; 1 once all memory is filled
.heartbeat:           resq 1            ; moves whenever the guest runs
.work:                resq 1            ; units
.pages:               resq 1            ; pages dirtied
endstruc
report_address   equ 0x8000
%define REPORT(field) report_address + report. %+ field

%macro NEXT_RANDOM 1-2 edx              ; xorshift32: state, scratch
    mov %2, %1
    shl %2, 13
    xor %1, %2
    mov %2, %1
    shr %2, 17
    xor %1, %2
    mov %2, %1
    shl %2, 5
    xor %1, %2
%endmacro

%macro COUNT 2                          ; counter, register with the amount
    movd xmm0, %2
    movq xmm1, [%1]
    paddq xmm1, xmm0
    movq [%1], xmm1
%endmacro

org load_address
header:
    dd 0x1BADB002, 0x10000, -(0x1BADB002 + 0x10000)
    dd header, load_address, image_end, image_end, start

start:
    cli
    lgdt [gdt_pointer]
    jmp code_selector:.reloaded
.reloaded:
    mov eax, data_selector
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov esp, stack_top
    mov eax, cr4
    or eax, 1 << 9                      ; OSFXSR: SSE, for the stores of 64 bits
    mov cr4, eax
    mov edi, report_address
    mov ecx, page_dwords
    xor eax, eax
    rep stosd
    call calibrate
    call fill_memory
    cmp dword [settings_here + settings.halts], 0
    je .ready
    call start_interrupts
.ready:
    mov dword [REPORT(magic)], 'FRRY'
    mov dword [REPORT(ready)], 1
    rdtsc
    mov [started], eax
    mov [started + 4], edx
    mov [deadline], eax
    mov [deadline + 4], edx

tick:
    call elapsed_milliseconds
    mov ebx, first_phase
    cmp eax, [settings_here + settings.second_phase_after]
    jb .chosen
    mov ebx, second_phase
.chosen:
    mov ecx, [ebx + phase.burst_on]
    test ecx, ecx
    jz .active
    add ecx, [ebx + phase.burst_off]
    xor edx, edx
    div ecx
    cmp edx, [ebx + phase.burst_on]
    jae .rest
.active:
    mov ecx, [ebx + phase.pages_per_tick]
    jecxz .rest
.next_page:
    push ecx
    call dirty_page
    mov eax, [ebx + phase.units_per_page]
    COUNT REPORT(work), eax
    mov eax, 1
    COUNT REPORT(pages), eax
    COUNT REPORT(heartbeat), eax
    pop ecx
    dec ecx
    jnz .next_page
    jmp .wait
.rest:
    mov eax, units_per_tick
    COUNT REPORT(work), eax
.wait:
    mov eax, [tick_length]
    add [deadline], eax
    adc dword [deadline + 4], 0
    rdtsc
    cmp edx, [deadline + 4]
    jb .idle
    ja .late
    cmp eax, [deadline]
    jb .idle
.late:                                  ; missed work is never caught up
    mov [deadline], eax
    mov [deadline + 4], edx
    jmp tick
.idle:
    cmp dword [settings_here + settings.halts], 0
    je .spin
    sti
    hlt                                 ; the timer's interrupt counts the heartbeat
    cli
    jmp .look
.spin:
    mov eax, 1
    COUNT REPORT(heartbeat), eax
.look:
    rdtsc
    cmp edx, [deadline + 4]
    jb .idle
    ja tick
    cmp eax, [deadline]
    jb .idle
    jmp tick

; Milliseconds of guest time since the start -> eax
elapsed_milliseconds:
    rdtsc
    sub eax, [started]
    sbb edx, [started + 4]
    div dword [ticks_per_millisecond]
    ret

; Draws a page by the pattern of the phase in ebx, and changes its content.
dirty_page:
    mov ecx, [ebx + phase.working_set_pages]
    cmp dword [ebx + phase.sequential], 0
    jne .sequential
    mov eax, [draw_state]
    NEXT_RANDOM eax
    mov esi, [ebx + phase.hot_pages]
    cmp eax, [ebx + phase.hot_threshold]
    jae .cold
    mov ecx, esi
    xor esi, esi
    jmp .draw
.cold:
    sub ecx, esi
.draw:
    NEXT_RANDOM eax
    mov [draw_state], eax
    mul ecx
    add edx, esi
    jmp .drawn
.sequential:
    mov edx, [sweep_position]
    inc edx
    cmp edx, ecx
    jb .within
    xor edx, edx
.within:
    mov [sweep_position], edx
.drawn:
    call content_of_page
    cmp eax, content_sparse
    jne write_page
    mov eax, [content_state]
    NEXT_RANDOM eax
    mov esi, [ebx + phase.sparse_dwords]
    mov ecx, page_dwords + 1
    sub ecx, esi
    push eax
    mul ecx                             ; where in the page the change begins -> edx
    pop eax
    lea edi, [edi + edx * 4]
.change:
    NEXT_RANDOM eax
    mov [edi], eax
    add edi, 4
    dec esi
    jnz .change
    mov [content_state], eax
    ret

; Page number edx, phase ebx -> its address in edi, its kind of content in eax
content_of_page:
    mov edi, edx
    shl edi, 12
    add edi, memory_base
    mov eax, [ebx + phase.content]
    cmp eax, content_mixed
    jne .known
    and edx, 3
    movzx eax, byte [mixture + edx]
.known:
    ret

; Fills the page at edi with content of kind eax.
write_page:
    cmp eax, content_text
    mov eax, [content_state]
    je .text
    mov ecx, page_dwords / 4
.random:
%assign offset 0
%rep 4
    NEXT_RANDOM eax
    mov [edi + offset], eax
%assign offset offset + 4
%endrep
    add edi, 16
    dec ecx
    jnz .random
    mov [content_state], eax
    ret
.text:
    mov ecx, page_dwords / 2
.next_word:
    NEXT_RANDOM eax
    test ecx, 15
    jz .number
    mov edx, eax
    shr edx, 26
    movq xmm0, [words + edx * 8]
    movq [edi], xmm0
    jmp .word_written
.number:
    mov edx, eax
    and edx, 0x07070707
    or edx, '0000'
    mov [edi], edx
    mov [edi + 4], dword ' km '
.word_written:
    add edi, 8
    dec ecx
    jnz .next_word
    mov [content_state], eax
    ret

fill_memory:
    mov ebx, first_phase
    xor edx, edx
.next_page:
    cmp edx, [settings_here + settings.filled_pages]
    jae .filled
    push edx
    call content_of_page
    call write_page
    pop edx
    inc edx
    jmp .next_page
.filled:
    ret

; Measures the time stamp counter against the ACPI timer.
calibrate:
    call sample_clocks
    push ebx
    push edi
    mov dx, pm_timer_port
.wait:
    in eax, dx
    sub eax, [esp]
    and eax, 0xFFFFFF
    cmp eax, calibration_time
    jb .wait
    call sample_clocks
    pop eax
    sub edi, eax
    and edi, 0xFFFFFF
    pop eax
    sub ebx, eax
    mov eax, ebx
    mov ecx, pm_timer_khz
    mul ecx
    div edi
    mov [ticks_per_millisecond], eax
    mul dword [settings_here + settings.tick_microseconds]
    mov ecx, 1000
    div ecx
    mov [tick_length], eax
    ret

; Both clocks at one instant: time stamp -> ebx, ACPI timer -> edi. The tightest of some tries,
; because the host may take the processor away between the two readings.
sample_clocks:
    mov ecx, 32
    mov ebp, -1
.again:
    rdtsc
    mov esi, eax
    mov dx, pm_timer_port
    in eax, dx
    push eax
    rdtsc
    pop edx
    sub eax, esi
    cmp eax, ebp
    jae .looser
    mov ebp, eax
    mov ebx, esi
    mov edi, edx
.looser:
    dec ecx
    jnz .again
    ret

; Timer interrupts at 1 kHz on vector 0x20, everything else masked.
start_interrupts:
    lidt [idt_pointer]
    mov esi, interrupt_setup
    mov ecx, (interrupt_setup_end - interrupt_setup) / 2
.next:
    movzx edx, byte [esi]
    mov al, [esi + 1]
    out dx, al
    add esi, 2
    dec ecx
    jnz .next
    ret

on_timer:
    push eax
    mov eax, 1
    COUNT REPORT(heartbeat), eax
    mov al, 0x20
    out 0x20, al
    pop eax
    iret

interrupt_setup:                        ; port, value
    db 0x20, 0x11, 0x21, 0x20, 0x21, 0x04, 0x21, 0x01
    db 0xA0, 0x11, 0xA1, 0x28, 0xA1, 0x02, 0xA1, 0x01
    db 0x21, 0xFE, 0xA1, 0xFF
    db 0x43, 0x34, 0x40, 1193 & 0xFF, 0x40, 1193 >> 8
interrupt_setup_end:

align 8
gdt:
    dq 0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF
gdt_pointer:
    dw gdt_pointer - gdt - 1
    dd gdt
align 8
idt:
    times 0x20 dq 0
    dw (on_timer - $$ + load_address) & 0xFFFF, code_selector
    dw 0x8E00, (on_timer - $$ + load_address) >> 16
idt_pointer:
    dw idt_pointer - idt - 1
    dd idt

align 8
started:               dq 0
deadline:              dq 0
ticks_per_millisecond: dd 0
tick_length:           dd 0
sweep_position:        dd 0
draw_state:            dd 0x9E3779B9
content_state:         dd 0x2545F491
settings_here:         dd SETTINGS
first_phase:           dd FIRST_PHASE
second_phase:          dd SECOND_PHASE
mixture:               db content_random, content_text, content_sparse, content_text

align 8
words:                                  ; 64 words of 8 bytes
    db "anchor  ballast barge   beacon  boat    bow     bridge  buoy    "
    db "cable   canal   captain cargo   channel chart   coast   compass "
    db "course  crane   crew    current deck    depth   dock    draught "
    db "ebb     engine  fathom  ferry   flood   fog     galley  gangway "
    db "harbour haul    helm    hold    hull    island  jetty   journey "
    db "keel    knot    landing lantern lock    log     mast    mooring "
    db "mouth   narrows oar     passage pier    pilot   port    quay    "
    db "rope    rudder  sail    shore   signal  tide    voyage  wake    "
image_end:
