package main

import (
	"govor/hub"
	"govor/hub/socket"
)

// loginBurst is how many people behind one address may log in at once: a class, an office.
const loginBurst = 50

// requestBurst is how many requests may come at once from one address: four seconds' worth, and a class that opens the
// page.
func (c *config) requestBurst() int { return int(4*c.RequestsPerIP) + 100 }

// lift takes the limits off that --no-limits is for.
func (c *config) lift() {
	c.Rate, c.ByteRate, c.RatePerMember, c.ByteRatePerMember, c.RatePerIP, c.ByteRatePerIP = 0, 0, 0, 0, 0, 0
	c.FrameRate, c.ControlRate, c.RequestsPerIP, c.LoginsPerIP = 0, 0, 0, 0
	c.MaxConns, c.MaxConnsPerIP, c.MaxRooms, c.NewRooms, c.NameChanges = 0, 0, 0, 0, 0
}

func (c *config) hubLimits() hub.Limits {
	return hub.Limits{
		MaxText: c.MaxText, Rate: c.Rate, Burst: c.Burst, ByteRate: float64(c.ByteRate), RatePatience: c.RatePatience,
		PerMember: hub.Pace{Messages: c.RatePerMember, Bytes: float64(c.ByteRatePerMember)},
		PerAddr:   hub.Pace{Messages: c.RatePerIP, Bytes: float64(c.ByteRatePerIP)},
		FrameRate: c.FrameRate, MaxConnections: c.MaxConns, MaxConnectionsPerAddr: c.MaxConnsPerIP, MaxRooms: c.MaxRooms,
		NewRoomsPerHour: c.NewRooms, RenamesPerHour: c.NameChanges, RingBytes: c.RingBytes, PresenceGrace: c.PresenceGrace,
	}
}

func (c *config) socketLimits() socket.Limits {
	l := socket.Limits{
		MaxFrame: c.MaxFrameBytes, PingInterval: c.PingInterval, IdleTimeout: c.IdleTimeout, StallTimeout: c.StallTimeout,
		ControlRate: c.ControlRate,
	}
	if l.ControlRate == 0 {
		l.ControlRate = -1 // 0 would be the default
	}
	return l
}
