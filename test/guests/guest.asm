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
page_dwords      equ 1024
units_per_tick   equ 1000000            ; the work of a tick, whatever it dirties
pm_timer_port    equ 0x608              ; ACPI power management timer, where SeaBIOS puts it
pm_timer_khz     equ 3580
calibration_time equ 50 * pm_timer_khz
code_selector    equ 8
data_selector    equ 16
second_vector    equ 0x21

content_random   equ 0
content_text     equ 1
content_sparse   equ 2
content_mixed    equ 3

struc settings
.tick_microseconds:   resd 1
.second_phase_after:  resd 1            ; milliseconds; all ones = never
.filled_pages:        resd 1            ; filled at boot, from memory_base on
.halts:               resd 1            ; between ticks: 1 halts, 0 spins
.second_vcpu:         resd 1            ; 1 = it works too
.disk_runs_per_tick:  resd 1            ; 0 = there is no disk
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
.second_work:         resq 1            ; units of the second processor
endstruc
report_address   equ 0x8000
%define REPORT(field) report_address + report. %+ field
stack_top        equ report_address + 0x1000

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

; QEMU 7.2 under TCG may forget that a page is dirty that is written again and again (a race
; between clearing its dirty bitmap and its TLB; about every second migration, never seen in 10.0).
; So the page of report and stack is dropped from the TLB at each count.
%macro COUNT 2                          ; counter, register with the amount
    movd xmm0, %2
    movq xmm1, [%1]
    paddq xmm1, xmm0
    movq [%1], xmm1
    invlpg [report_address]
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
    je .timed
    call start_interrupts
.timed:
    cmp dword [settings_here + settings.second_vcpu], 0
    je .alone
    call start_second_vcpu
.alone:
    cmp dword [settings_here + settings.disk_runs_per_tick], 0
    je .ready
    call start_disk
.ready:
    mov dword [REPORT(magic)], 'FRRY'
    mov dword [REPORT(ready)], 1
    rdtsc
    mov [started], eax
    mov [started + 4], edx
    mov [deadline], eax
    mov [deadline + 4], edx

tick:
    call write_disk
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

%include "machine.inc"
%include "content.inc"
%include "devices.inc"

align 8
started:               dq 0
deadline:              dq 0
ticks_per_millisecond: dd 0
tick_length:           dd 0
sweep_position:        dd 0
disk_position:         dd 0
draw_state:            dd 0x9E3779B9
content_state:         dd 0x2545F491
settings_here:         dd SETTINGS
first_phase:           dd FIRST_PHASE
second_phase:          dd SECOND_PHASE
image_end:
