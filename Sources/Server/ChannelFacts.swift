// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// What sessions need to know of the TLS of their connection.
struct ChannelFacts {
    let hasClientCertificate: Bool
    /// Whether the channel has something that SCRAM can bind itself to.
    let bindsChannel: Bool
}

extension ByteStream {
    var channelFacts: ChannelFacts {
        ChannelFacts(
            hasClientCertificate: self.tls?.clientCertificate != nil,
            bindsChannel: self.channelBinding(.serverEndPoint) != nil
                || self.channelBinding(.exporter) != nil
        )
    }
}
