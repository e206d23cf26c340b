; The load on redis, and the guest's report: sets random keys at a known pace, in ticks like those
; of guest.asm, and counts the answers where the outside can read them. A tick that is a little late
; is caught up; work missed for longer is not, as in a server whose clients give up.
;
; A static program for Linux, assembled by image.ts with -DKEYS (a power of two),
; -DREQUESTS_PER_TICK and -DTICK_NANOSECONDS. It expects redis at /redis.sock. The report lies at
; the physical address at which guest.asm keeps it; the kernel is told to leave that page alone.

bits 64
org 0x400000

sys_read            equ 0
sys_write           equ 1
sys_open            equ 2
sys_mmap            equ 9
sys_nanosleep       equ 35
sys_socket          equ 41
sys_connect         equ 42
sys_fork            equ 57
sys_scheduler       equ 144             ; sched_setscheduler
sys_clock           equ 228             ; clock_gettime
sys_exit_group      equ 231

read_write          equ 2
shared              equ 1
real_time           equ 1               ; SCHED_FIFO
unix_stream         equ 1
nanoseconds         equ 1000000000
patience            equ nanoseconds / 20 ; requests wait so long for a server that is late

report_address      equ 0x8000
units_per_request   equ 1000000 / REQUESTS_PER_TICK
answers_bytes       equ 4096
reply_bytes         equ 5               ; "+OK" and the end of the line
value_bytes         equ 1000
words_per_token     equ 8               ; one word in so many is a random number

; As in guest.asm.
struc report
.magic:             resd 1
.ready:             resd 1
.heartbeat:         resq 1
.work:              resq 1
.pages:             resq 1
endstruc

; Memory behind the image, which the kernel fills with zeros.
struc work
.deadline:          resq 1              ; nanoseconds
.time:              resq 2
.answers:           resb answers_bytes
.requests:          resb (REQUESTS_PER_TICK + 1) * (value_bytes + 64)
endstruc
%define WORK(field) image_end + work. %+ field

%macro SYSCALL 1-4                      ; number, and the first three arguments
%if %0 > 1
    mov rdi, %2
%endif
%if %0 > 2
    mov rsi, %3
%endif
%if %0 > 3
    mov rdx, %4
%endif
    mov eax, %1
    syscall
%endmacro

%macro NEXT_RANDOM 1                    ; state; xorshift64, uses rdx
    mov rdx, %1
    shl rdx, 13
    xor %1, rdx
    mov rdx, %1
    shr rdx, 7
    xor %1, rdx
    mov rdx, %1
    shl rdx, 17
    xor %1, rdx
%endmacro

image:
    db 0x7F, 'ELF', 2, 1, 1, 0
    dq 0
    dw 2, 62                            ; a program, for x86-64
    dd 1
    dq start, loaded - image, 0
    dd 0
    dw 64, 56, 1, 0, 0, 0
loaded:
    dd 1, 7                             ; loaded; may be read, written and executed
    dq 0, image, image, image_end - image, image_end - image + work_size, 0x1000

; r15 the report, r14 the socket, r13 the random state, r12 answers awaited
start:
    mov r13, 0x2545F4914F6CDD1D
    call map_report
    SYSCALL sys_fork
    test eax, eax
    jz beat
    call connect
    call fill
    mov dword [r15 + report.magic], 'FRRY'
    mov dword [r15 + report.ready], 1
    call now
    mov [WORK(deadline)], rax

tick:
    mov ecx, REQUESTS_PER_TICK
    mov rdi, WORK(requests)
.request:
    NEXT_RANDOM r13
    mov eax, r13d
    and eax, KEYS - 1
    call write_request
    loop .request
    call send
    call await
    call now
    add qword [WORK(deadline)], TICK_NANOSECONDS
    mov rcx, [WORK(deadline)]
    sub rcx, rax
    jg .early
    cmp rcx, -patience
    jge tick
    mov [WORK(deadline)], rax           ; whoever waited so long has gone
    jmp tick
.early:
    mov rdi, rcx
    call sleep
    jmp tick

; Sets each key once, before anything is counted.
fill:
    xor ebx, ebx
.next:
    mov eax, ebx
    mov rdi, WORK(requests)
    call write_request
    push rbx
    call send
    pop rbx
    call await
    inc ebx
    cmp ebx, KEYS
    jb .next
    mov qword [r15 + report.work], 0
    ret

; A process of its own, before all others, so that the heartbeat moves whenever the guest runs.
beat:
    SYSCALL sys_scheduler, 0, real_time, one
.next:
    inc qword [r15 + report.heartbeat]
    mov edi, nanoseconds / 1000
    call sleep
    jmp .next

map_report:
    SYSCALL sys_open, memory_device, read_write
    mov r8, rax
    mov r9d, report_address
    mov r10d, shared
    SYSCALL sys_mmap, 0, 0x1000, 3
    test rax, rax
    js fail
    mov r15, rax
    mov rdi, rax
    xor eax, eax
    mov ecx, 0x1000 / 8
    rep stosq
    ret

connect:
    SYSCALL sys_socket, 1, unix_stream, 0
    mov r14, rax
.again:
    SYSCALL sys_connect, r14, redis_address, redis_address_end - redis_address
    test eax, eax
    jz .connected
    mov edi, nanoseconds / 100          ; it has not opened its socket yet
    call sleep
    jmp .again
.connected:
    ret

; Sends all from the first request to rdi.
send:
    mov rbx, WORK(requests)
    mov rbp, rdi
.more:
    mov rdx, rbp
    sub rdx, rbx
    jz .sent
    SYSCALL sys_write, r14, rbx
    test rax, rax
    jle fail
    add rbx, rax
    jmp .more
.sent:
    ret

; Reads until every request sent is answered, and counts each one.
await:
    xor ebp, ebp                        ; bytes of an answer that is not complete
.more:
    SYSCALL sys_read, r14, WORK(answers), answers_bytes
    test rax, rax
    jle fail
    cmp byte [WORK(answers)], '-'             ; redis complains
    je fail
    add rax, rbp
    xor edx, edx
    mov ecx, reply_bytes
    div rcx
    mov rbp, rdx
    sub r12, rax
    imul rax, rax, units_per_request
    add [r15 + report.work], rax
    test r12, r12
    jnz .more
    ret

fail:
    SYSCALL sys_exit_group, 1

; Appends to rdi a SET of key number eax; keeps rcx and rbx.
write_request:
    push rcx
    push rax
    mov rsi, head
    mov ecx, head_end - head
    rep movsb
    pop rax
    call write_number
    mov rsi, middle
    mov ecx, middle_end - middle
    rep movsb
    call write_value
    mov word [rdi], 0x0A0D
    add rdi, 2
    inc r12
    pop rcx
    ret

; Words and numbers, as in a record of a session; cut to the length of a value.
write_value:
    lea r8, [rdi + value_bytes]
.next:
    NEXT_RANDOM r13
    mov eax, r13d
    test eax, words_per_token - 1
    jz .number
    shr eax, 8
    and eax, (vocabulary_end - vocabulary) / 8 - 1
    mov rax, [vocabulary + rax * 8]
    mov [rdi], rax
    bsr rcx, rax                        ; words are padded with zeros
    shr ecx, 3
    lea rdi, [rdi + rcx + 1]
    jmp .written
.number:
    mov rax, r13
    shr rax, 32
    call write_number
.written:
    cmp rdi, r8
    jb .next
    mov rdi, r8
    ret

; Appends eax to rdi, in eight digits of base 16.
write_number:
    mov edx, eax
    mov ecx, 8
.digit:
    rol edx, 4
    mov eax, edx
    and eax, 15
    mov al, [digits + rax]
    stosb
    dec ecx
    jnz .digit
    ret

; Nanoseconds -> rax
now:
    SYSCALL sys_clock, 1, WORK(time)
    imul rax, [WORK(time)], nanoseconds
    add rax, [WORK(time) + 8]
    ret

; rdi nanoseconds, less than a second
sleep:
    push rdi
    push qword 0
    SYSCALL sys_nanosleep, rsp, 0
    add rsp, 16
    ret

memory_device:      db '/dev/mem', 0
redis_address:      dw 1
                    db '/redis.sock', 0
redis_address_end:
head:               db '*3', 13, 10, '$3', 13, 10, 'SET', 13, 10, '$16', 13, 10, 'session:'
head_end:
middle:             db 13, 10, '$1000', 13, 10
middle_end:
digits:             db '0123456789abcdef'
align 8
one:                dq 1
vocabulary:
    dq '"user":', '"name":', '"mail":', '"items":', '"price":', '"city":', '"token":', '"seen":'
    dq '"cart":', '"from":', '"agent":', '"lang":', '{"id":', '"},', '"}],', 'null,'
    dq 'true,', 'false,', '"en",', '"de",', '"fr",', '"pt",', '"zh",', '"es",'
    dq '"blue ', '"red ', '"green ', '"white ', 'shoes ', 'shirt ', 'lamp ', 'chair '
    dq 'table ', 'phone ', 'paper ', 'coffee ', 'bottle ', 'garden ', 'winter ', 'summer '
    dq 'small ', 'large ', 'medium ', 'street ', 'avenue ', 'square ', 'road ', 'north '
    dq 'south ', 'Berlin ', 'Lisbon ', 'Lyon ', 'Oslo ', 'Shenzhe', 'Mozilla', 'Safari '
    dq '0.00,', '9.99,', '19.90,', '49.00,', '12.50,', 'order ', 'paid ', 'sent '
vocabulary_end:
image_end:
