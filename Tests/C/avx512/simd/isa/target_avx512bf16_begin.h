/* Replaces the header of the library: functions from here to target_end.h are compiled for any x86-64, because their
 * intrinsics are emulated. */
#pragma GCC push_options
