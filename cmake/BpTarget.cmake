include(CheckPIESupported)
check_pie_supported()

# Programs and the shared library: tables of addresses are read-only once they are loaded, no stack can be executed.
set(bp_link_hardening -Wl,-z,relro,-z,now,-z,noexecstack)

# What BP_SANITIZE asks for, as the compilers' option, and for scripts ON or OFF.
set(bp_sanitize_option)
set(bp_is_sanitized OFF)
if(BP_SANITIZE)
    set(bp_is_sanitized ON)
    if(BP_SANITIZE STREQUAL thread)
        set(bp_sanitize_option -fsanitize=thread)
    elseif(BP_SANITIZE MATCHES "^(address|ON|1|YES|TRUE|Y)$")
        set(bp_sanitize_option -fsanitize=address,undefined)
    else()
        message(FATAL_ERROR "BP_SANITIZE is \"${BP_SANITIZE}\"; it can be OFF, address or thread")
    endif()
endif()

# bp_target(TARGET): what every target of this project is compiled with: C11, warnings, hidden symbols, position-independent code, what makes
# mistakes with memory hard to exploit, sanitizers where asked for.
function(bp_target target)
    set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF C_VISIBILITY_PRESET hidden
                                               POSITION_INDEPENDENT_CODE ON)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion)
    target_link_options(${target} PRIVATE ${bp_link_hardening})
    if(BP_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(BP_SANITIZE)
        target_compile_options(${target} PRIVATE ${bp_sanitize_option} -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_link_options(${target} PRIVATE ${bp_sanitize_option})
    else() # the compiler may have a value of its own
        target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
    endif()
    if(BP_FUZZ)
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
endfunction()
