/* In place of the library's: functions from here to target_end.h are for any x86-64, their intrinsics being emulated. */
#pragma GCC push_options
