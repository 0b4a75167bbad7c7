/* Ends what target_<isa>_begin.h has begun. */
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
