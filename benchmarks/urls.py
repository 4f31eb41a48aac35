"""The product's routes, and beside them those that it is compared with."""

from django.urls import include, path

from benchmarks import naive

urlpatterns = [
    path("bench/empty", naive.EmptyView.as_view()),
    path("bench/metrics", naive.NaiveMetrics.as_view()),
    path("bench/metrics-by-status", naive.ServedMetrics.as_view()),
    path("bench/booking-rate", naive.NaiveBookingRate.as_view()),
    path("bench/top-objections", naive.NaiveObjections.as_view()),
    path("bench/calls", naive.NaiveCalls.as_view()),
    path("bench/message-threads/<int:contact>", naive.NaiveThread.as_view()),
    path("", include("config.urls")),
]
