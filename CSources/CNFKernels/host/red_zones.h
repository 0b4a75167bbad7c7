/* Red zones of AddressSanitizer: bytes between blocks of one mapping, whose use is reported. Other builds have none. */
#ifndef CNF_HOST_RED_ZONES_H
#define CNF_HOST_RED_ZONES_H

#if defined(__SANITIZE_ADDRESS__)
#define CNF_RED_ZONE 64
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CNF_RED_ZONE 64
#endif
#endif

#ifdef CNF_RED_ZONE
#include <sanitizer/asan_interface.h>
#else
#define CNF_RED_ZONE 0
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#endif
